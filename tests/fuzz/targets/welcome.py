"""The gateway's answer to a hello: `core/welcome.py`, and the messages behind it."""

from ends import NAME, drained
from oracle import require

from eventhive.core.errors import PeerError
from eventhive.core.mark import Mark
from eventhive.core.opening import open_session
from eventhive.core.ring import Outbox
from eventhive.core.session import RUNNING, Session, is_count
from eventhive.core.welcome import welcome

PORTABLE = True
STREAM = False
LONGEST = 300
SHARE = 80
ERRORS = (PeerError,)

_CHALLENGE = bytes((1, 1, 1, 0, 4, 0)) + bytes(16)
_STREAM = "a1a2a3a400000001"


def feed(pieces, seen):
    (answer,) = pieces
    outbox = Outbox(4096, 1024, _STREAM if answer[-1:] > b"\x40" else None)
    outbox.put("my-hive/sensor-1/t", b"1")
    session = Session(1024, outbox, Mark())
    open_session(session, _CHALLENGE, bytes(35) + NAME.encode(), None, 20)
    drained(session)
    time_ms = welcome(session, _CHALLENGE, answer)
    require(session.state == RUNNING and is_count(time_ms) and outbox.stream, "welcomed without a session")
    require(outbox.acked < outbox.next, "event %d is acknowledged, which was never sent" % outbox.acked)
    event = session.next_event()
    while event:
        seen.append(event)
        event = session.next_event()


def seeds():
    return {
        "welcome": b'[1,1767225600000,"a1a2a3a400000001",0]',
        "with-events": b'[[1,0,"a1a2a3a400000001",1],[4,"b1b2b3b400000001",1],[2,"my-hive/sensor-1/led",{"on":true}]]',
        "refused": b"\x03\x02",
        "never-sent": b'[1,0,"a1a2a3a400000001",7]',
    }
