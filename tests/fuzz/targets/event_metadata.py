"""What other members of a network say in the metadata of events: `network.py`, `replies.py`, `once.py`.

The input is a JSON text, or several, each behind a record separator; each comes as an event and to the inbox.
"""

import json
import re

from cutting import DEEP
from oracle import bounded, require
from still import standing_still

from eventhive import classic
from eventhive.connectors.base import Connector
from eventhive.network import Network
from eventhive.replies import Requests

PORTABLE = False
STREAM = False
LONGEST = 500
SHARE = 5
ERRORS = ()

SEPARATOR = b"\x1e"
KEY = "__eventhive__"
TOPIC = "my-hive/worker/action"
INBOX = "my-hive/_inbox-" + "a5" * 16 + "/reply"
_INBOX = re.compile("my-hive/_inbox-[0-9a-f]{32}/reply")
HELD = 64 * LONGEST


class Carrier(Connector):
    """A connector that keeps what it is given."""

    def __init__(self):
        super().__init__("my-hive")
        self.connected = True
        self.published = []

    def publish(self, topic, payload, confirm=None, nobody=None):
        self.published.append((topic, payload.text))
        return True

    def subscribe(self, topic):
        pass


class Hooks:
    """A dispatcher that is never behind."""

    congested = False


class Taker:
    """A participant that takes all there is, and answers."""

    def __init__(self, seen):
        self.seen = seen

    def deliver(self, topic, data):
        self.seen.append(("event", topic, data))

    def ask(self, topic, question):
        self.seen.append(("request", topic, question.data))
        question.answer(question.data)

    def takes(self, topic):
        return True

    def take(self, topic, arrival):
        self.seen.append(("once", topic, arrival.data))
        arrival.ended()
        return True


def feed(pieces, seen):
    (data,) = pieces
    with standing_still() as loop:
        carrier = Carrier()
        requests = Requests("my-hive", KEY, b"\xa5" * 16, loop.call_later)
        network = Network("my-hive", "worker", carrier, "", Hooks(), requests)
        network.subscribe(TOPIC, Taker(seen))
        network.expect(lambda answers: seen.append([*answers]))
        network.ask("my-hive/other/x", {}, 5, lambda value, error: seen.append((value, str(error))))
        loop.run()
        asked = len(carrier.published)
        for text in data.split(SEPARATOR):
            for topic in (TOPIC, INBOX):
                carrier.deliver(topic, classic.Payload(text=text.decode(errors="replace")))
                loop.run()
        for topic, text in carrier.published[asked:]:
            require(_INBOX.fullmatch(topic), f"it can be made to send to {topic!r}")
            json.loads(text)
        bounded(network, HELD)


def seeds():
    once = [INBOX.replace("a5", "b6"), "sensor-1", "a1a2a3a400000001", 1, 0]
    asks = {"request": 7, "reply_to": INBOX.replace("a5", "b6"), "id": "x-7"}
    taken = [["my-hive/worker/action", "sensor-1", "a1a2a3a400000001", 3, 0]]

    def marked(members, **data):
        return json.dumps({**data, KEY: members}).encode()

    again = [marked({"once": [*once[:3], number, before]}, n=number) for number, before in ((1, 0), (3, 2), (2, 1))]
    return {
        "plain": marked({"time": 1.5, "version": "1", "event": TOPIC, "id": "8f"}, celsius=21.5),
        "request": marked(asks, a=1) + SEPARATOR + marked({**asks, "data": [1, 2]}),
        "deep": DEEP,
        "deep-metadata": b'{"__eventhive__":{"once":' + DEEP,
        "reply": marked({"reply": 1, "value": {"b": 2}}),
        "reply-error": marked({"reply": 1, "nobody": True}) + SEPARATOR + marked({"reply": 1, "error": "no\n"}),
        "once": SEPARATOR.join(again),
        "taken": marked({"taken": taken}),
        "foreign-inbox": marked({**asks, "reply_to": "my-hive/worker/action"}),
        "more-than-an-inbox": marked({**asks, "reply_to": INBOX + "/action"}),
    }
