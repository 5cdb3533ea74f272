"""What a client says to the pubsub server of a hive, on both its wires: `servers/`, `classic.py`, `lean.py`.

The first byte of the input says which wire it is; texts follow, each behind a record separator. Two others are
subscribed to all topics, one on each wire: they must be told the same as the broker was.
"""

import json

from cutting import DEEP
from oracle import bounded, require
from still import Transport, standing_still
from upgraded import request, texts

from eventhive import classic, lean
from eventhive.servers.broker import Broker
from eventhive.servers.peer import Peer
from eventhive.servers.websocket import WebsocketServer

PORTABLE = False
STREAM = False
LONGEST = 800
SHARE = 1
ERRORS = ()

SEPARATOR = b"\x1e"
# What a client may hold in a server that has handled all it said: its subscriptions.
HELD = 16 * LONGEST

_ALL = json.dumps({"request": {"method": "subscribe", "arguments": {"topics": [classic.ALL_TOPICS]}, "call_id": "s"}})


class Onlooker:
    """A subscriber of this process."""

    owner = None

    def __init__(self):
        self.events = []

    def notify(self, topic, payload):
        self.events.append((topic, payload.text))


def feed(pieces, seen):
    (data,) = pieces
    with standing_still() as loop:
        broker = Broker()
        server = WebsocketServer("my-hive", "127.0.0.1", 0, broker)
        onlooker = Onlooker()
        broker.subscribe(classic.ALL_TOPICS, onlooker)
        readers = [_joined(loop, server, wire) for wire in ("", lean.SUBPROTOCOL)]
        for peer, _ in readers:
            peer.message(_ALL)
        peer, transport = _joined(loop, server, lean.SUBPROTOCOL if data[:1] > b"\x7f" else "")
        for text in data[1:].split(SEPARATOR):
            if peer.is_open:
                peer.message(text.decode(errors="replace"))
                loop.run()
        bounded(peer, HELD)
        heard = [texts(b"".join(one.written)) for _, one in readers]
        _compare(onlooker.events, heard)
        transport.end()
        require(not any(topic != classic.ALL_TOPICS for topic in broker._topics), "a subscription outlives its peer")
    seen.extend(onlooker.events)
    seen.extend(texts(b"".join(transport.written)))


def _joined(loop, server, wire):
    peer = Peer(server)
    transport = Transport(loop, peer)
    transport.feed(request(wire))
    require(peer.is_open, "an upgrade is refused")
    return peer, transport


def _compare(events, heard):
    calls = [classic.read(text) for text in heard[0] if not classic.is_answer(text)]
    told = [(call.arguments["subscription"]["topic"], classic.payload_of(call).text) for call in calls]
    require(told == events, f"on the classic wire {told!r} is told for {events!r}")
    frames = [text for text in heard[1] if text.startswith(lean.TOPIC)]
    told = [(topic, payload.text) for frame in frames for topic, payload in lean.events(frame)]
    written = [(_printed(topic), _line(text)) for topic, text in events]
    require(told == written, f"on the lean wire {told!r} is told for {events!r}")


def _line(text):
    """What is no JSON may be replaced, line feeds in JSON are blanks."""
    return lean.NO_JSON if not text or text[0] == lean.TOPIC else _printed(text.replace("\n", " "))


def _printed(text):
    return text.encode(errors="replace").decode()


def seeds():
    topic, payload = "my-hive/worker/action", classic.Payload({"param1": 1, "name": "\u00e9\U0001f600"})
    batch = lean.Batch()
    batch.add(topic, payload)
    batch.add(topic, classic.Payload([1, 2.5, None]))
    batch.add("my-hive/other/x", payload)
    subscribe, ping = classic.subscribe([topic, "b/c/d"], "s1"), classic.ping("p1")
    published = classic.publish(classic.publish_head(topic), payload, 7)
    unsubscribe = subscribe.replace(b'"subscribe"', b'"unsubscribe"')
    several = {"request": {"method": "publish", "arguments": {"topics": ["a/b/c", "d"], "data": {"a": 1}}}}
    return {
        "classic": b"\x00" + SEPARATOR.join([ping, subscribe, published, unsubscribe, classic.done("1")]),
        "lean": b"\xff" + SEPARATOR.join([subscribe, batch.take(), ping]),
        "other-software": b"\x00" + json.dumps(several).encode(),
        "deep": b"\x00" + DEEP,
        "unknown-method": b"\x00" + ping.replace(b"_ping_", b"_quit_"),
        "no-message": b"\x00" + SEPARATOR.join([b"[]", b'{"request": 1, "response": null}', b"{}"]),
    }
