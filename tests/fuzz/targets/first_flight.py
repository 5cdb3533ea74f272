"""What a device sends before it is known, hello and first record: `core/gateway_session.py`.

Messages stand behind their lengths; the first byte of the input is the mode that the gateway's challenge demands.
"""

from cutting import pack, unpack
from ends import KEY, NAME, TIME_MS, Device, drained
from ends import STREAM as FRESH
from oracle import bounded, require

from eventhive.core.clear import SEALED
from eventhive.core.errors import PeerError
from eventhive.core.gateway_session import FIRST_FLIGHT_BYTES, GatewaySession
from eventhive.core.keys import link_mac
from eventhive.core.marks import Marks
from eventhive.core.ring import Outbox
from eventhive.core.session import OPENED

PORTABLE = True
STREAM = False
LONGEST = 400
SHARE = 10
ERRORS = (PeerError,)

LIMIT = 4096
_KNOWN = link_mac(KEY)
_NOBODY = link_mac(b"nobody")


def find(hello):
    if hello.name == NAME:
        return _KNOWN
    return _NOBODY if hello.mode == SEALED else None


def feed(pieces, seen):
    (data,) = pieces
    session = GatewaySession(bytes(16), data[0] & 1 if data else 0, LIMIT, find)
    require(session.data_to_send() is not None and session.data_to_send() is None, "not one challenge")
    for message in unpack(data[1:]):
        session.receive_data(message)
        event = session.next_event()
        while event:
            seen.append(event[0])
            if event[0] == OPENED:
                session.accept(session.stream(FRESH % 1), Outbox(4096, LIMIT, FRESH % 2), Marks(), TIME_MS)
            event = session.next_event()
        # One message may be held until it is looked at, and what it proved.
        bounded(session, FIRST_FLIGHT_BYTES + LIMIT)
        seen.append(len(drained(session)))
        if session.closed:
            return


def seeds():
    challenge = GatewaySession(bytes(16), SEALED, LIMIT, find).data_to_send()
    unkeyed = GatewaySession(bytes(16), 0, LIMIT, find).data_to_send()
    found = {}
    for name, device, asked in (
        ("known", Device(), challenge),
        ("unknown", Device(name="other"), challenge),
        ("unkeyed", Device(key=None, name="other"), unkeyed),
        ("known-without-key", Device(key=None), unkeyed),
    ):
        hello, session = device.greet(asked)
        found[name] = asked[3:4] + pack(hello, session.data_to_send(), b'[[4,"a1a2a3a400000001",1],[2,"a/b/c",1]]')
    found["newer"] = b"\x00" + pack(b"\x02\x07" + bytes(40))
    return found
