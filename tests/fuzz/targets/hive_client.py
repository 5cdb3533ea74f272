"""What a pubsub server says to a member of a hive, on both its wires: `connectors/websocket_session.py`, `lean.py`.

The first byte of the input says which wire it is; texts follow, each behind a record separator. Three events are on
their way to the server.
"""

from collections import deque

from cutting import DEEP
from oracle import bounded, require
from still import Transport, standing_still
from upgraded import KEY, response
from websockets.uri import parse_uri

from eventhive import classic, lean
from eventhive.connectors.websocket_session import GREETING, Session
from eventhive.core.errors import PeerError

PORTABLE = False
STREAM = False
LONGEST = 600
SHARE = 6
ERRORS = ()

SEPARATOR = b"\x1e"
EVENTS = 3
HELD = 16 * LONGEST

_URI = parse_uri("ws://127.0.0.1:8085/pubsub")
_TOPIC = "my-hive/worker/action"


class Owner:
    """What a session needs of its connector; notes what it is told."""

    def __init__(self, seen):
        self.seen = seen
        self.known = []

    def opened(self, session):
        pass

    def greeted(self):
        self.seen.append("greeted")

    def confirmed(self, number, unheard):
        require(type(number) is int and type(unheard) is bool, f"confirmed {number!r}, {unheard!r}")
        self.known.append(number)

    def refused(self, number, answer):
        require(type(number) is int, f"refused {number!r}")

    def received(self, topic, payload):
        require(type(topic) is str, f"a topic {topic!r}")
        try:
            self.seen.append((topic, payload.data))
        except PeerError:
            self.seen.append((topic, None))

    def send(self):
        pass


def feed(pieces, seen):
    (data,) = pieces
    with standing_still() as loop:
        owner = Owner(seen)
        wire = data[:1] > b"\x7f"
        session = Session(owner, not wire)
        session.uri = _URI
        transport = Transport(loop, session)
        # As if it had drawn this one.
        session._protocol.key = KEY
        transport.feed(response(lean.SUBPROTOCOL if wire else ""))
        require(session.is_open, "an upgrade is refused")
        session.greet([_TOPIC])
        payload = classic.Payload({"a": 1})
        session.publish(deque(range(1, EVENTS + 1)), dict.fromkeys(range(1, EVENTS + 1), (_TOPIC, payload, None, None)))
        for text in data[1:].split(SEPARATOR):
            if session.is_open:
                session.message(text.decode(errors="replace"))
                loop.run()
        if wire:
            confirmed = [number for number in owner.known if number in range(1, EVENTS + 1)]
            require(confirmed == sorted(confirmed), f"confirmed in another order: {confirmed}")
        bounded(session, HELD)
        transport.end()


def seeds():
    payload = classic.Payload({"param1": 1, "name": "\u00e9"})
    notified = classic.notify(classic.notify_head("5" * 32, "e" * 32, _TOPIC), payload, 1)
    batch = lean.Batch()
    batch.add(_TOPIC, payload)
    batch.add("my-hive/other/x", classic.Payload("text"))
    greeted, heard = classic.answer(True, GREETING), classic.answer(True, "1")
    return {
        "classic": b"\x00" + SEPARATOR.join([greeted, notified, heard, classic.unheard("2"), classic.ping("p")]),
        "lean": b"\xff" + SEPARATOR.join([greeted, batch.take(), lean.taken(1), lean.taken(3, [2, 3])]),
        "refused": b"\x00" + SEPARATOR.join([classic.answer("no", "1"), classic.answer(False, GREETING)]),
        "deep": b"\xff@a/b/c\n" + DEEP,
        "own-id": b"\x00" + classic.ping("p").replace(b"_ping_", b"_get_channel_id_"),
        "too-much": b"\xff" + lean.taken(9),
    }
