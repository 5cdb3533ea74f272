"""Frames of the hive's wires, by themselves: `classic.py` and `lean.py`. What is read is written and read again."""

from cutting import DEEP
from oracle import require

from eventhive import classic, lean
from eventhive.connectors.websocket_wires import number_of
from eventhive.core.errors import PeerError

PORTABLE = False
STREAM = False
LONGEST = 400
SHARE = 100
ERRORS = (PeerError,)

BEFORE, SENT = 3, 12


def feed(pieces, seen):
    text = pieces[0].decode(errors="replace")
    if text.startswith(lean.TOPIC):
        _events(text, seen)
    elif text.startswith(lean.TAKEN):
        _taken(text, seen)
    else:
        _call(text, seen)


def _events(text, seen):
    events = list(lean.events(text))
    batch = lean.Batch()
    for topic, payload in events:
        batch.add(topic, payload)
    again = [(topic, payload.text) for topic, payload in lean.events(batch.take().decode())]
    first = [(topic, payload.text or lean.NO_JSON) for topic, payload in events]
    require(again == first or not first, f"{first!r} becomes {again!r}")
    seen.extend(first)


def _taken(text, seen):
    count, unheard = lean.read_taken(text, BEFORE, SENT)
    require(BEFORE <= count <= SENT, f"{count} are confirmed")
    require(all(BEFORE < number <= count for number in unheard), f"{unheard} are unheard")
    again = lean.read_taken(lean.taken(count, sorted(unheard)).decode(), BEFORE, SENT)
    require(again == (count, unheard), f"{(count, unheard)} becomes {again}")
    seen.append(count)


def _call(text, seen):
    confirmed = classic.confirmed(text)
    if confirmed is not None and number_of(confirmed):
        answer = classic.read(text)
        require(answer == classic.Answer(True, confirmed), f"read fast {confirmed!r}, read slowly {answer!r}")
    message = classic.read(text)
    seen.append(type(message).__name__)
    if isinstance(message, classic.Call):
        classic.topics_of(message)
        payload = classic.payload_of(message)
        written = classic.read(classic.publish(classic.publish_head("t"), payload, 1).decode())
        require(classic.payload_of(written).text == payload.text, "other data is sent than was received")


def seeds():
    payload = classic.Payload({"param1": 1, "name": "\u00e9"})
    batch = lean.Batch()
    batch.add("my-hive/worker/action", payload)
    batch.add("my-hive/worker/action", classic.Payload(text="[1,\n2]"))
    batch.add("my-hive/other/x", payload)
    return {
        "publish": classic.publish(classic.publish_head("my-hive/worker/action"), payload, 7),
        "notify": classic.notify(classic.notify_head("5" * 32, "e" * 32, "a/b/c"), payload, 7),
        "subscribe": classic.subscribe(["a/b/c", "d/e/f"], "s1"),
        "deep": DEEP,
        "true": classic.answer(True, "5"),
        "unheard": classic.unheard("5"),
        "batch": batch.take(),
        "taken": lean.taken(7),
        "taken-unheard": lean.taken(11, [4, 6, 7, 8, 11]),
    }
