"""What an admitted device says to the gateway, up to its network: `gateway/bridge.py`, `device.py`, `devices.py`.

The input is the messages of a session without a key, one a line, behind its hand-shake.
"""

from cutting import DEEP
from oracle import bounded, require
from pure import UNKEYED, Stand

from eventhive.core.envelope import messages

PORTABLE = False
STREAM = False
LONGEST = 500
SHARE = 1
ERRORS = ()

NAME = "sensor-1"
HELD = 64 * LONGEST


class Asker:
    """Whoever has asked the device something."""

    data = 1

    def __init__(self, seen):
        self.seen = seen

    def answer(self, value):
        self.seen.append(("answer", value))

    def fail(self, why):
        self.seen.append(("failed", why))

    def nobody(self):
        self.seen.append(("nobody",))


def feed(pieces, seen):
    stand = Stand()
    board = stand.board(NAME, None).connect(mode=UNKEYED)
    end, device = board.end, stand.device(NAME)
    device.ask("my-hive/sensor-1/read", Asker(seen))
    for text in pieces[0].split(b"\n"):
        end.pump.receive(text)
        end.pump.flush()
        if end.session.closed:
            require(end.over, "the session is closed, its carrier is not")
            break
        device.deliver("my-hive/sensor-1/led", {"on": True})
        for _, _, _, answered in stand.hub.requests:
            answered({"a": 1}, None)
        stand.hub.requests.clear()
        end.pump.flush()
    require(all(messages(message) or b"goodbye" for message in end.sent), "it sends what is no message")
    require(all(topic.startswith("my-hive/") for topic, _ in stand.hub.events), "an event on another network")
    require(all(topic.split("/")[1] == NAME for topic in stand.hub.participants), "a hook beyond its rights")
    bounded(device, HELD)
    seen.extend(stand.hub.events)


def seeds():
    return {
        "events": b'[[4,"a1a2a3a400000001",1],[2,"my-hive/queen/temperature",{"celsius":21.5}],[2,1,{"celsius":22}]]',
        "refused": b'[4,"a1a2a3a400000001",1]\n[2,"other/queen/x",1]\n[2,"local",1]\n[10,"my-hive/q/x",[1]]',
        "hooks": b'[11,"my-hive/sensor-1/led","my-hive/other/x","a",1,null,[],{}]\n[11]\n[3,1]',
        "requests": b'[8,1,"my-hive/queen/add",[1,2]]\n[8,2,"other/x/y",null]\n[9,1,0,{"celsius":21.5}]\n[9,1,1,"no"]',
        "rejected": b'[4,"a1a2a3a400000001",1]\n[2,"my-hive/a/b",inf]',
        "deep": b'[4,"a1a2a3a400000001",1]\n[2,"my-hive/a/b",' + DEEP,
        "goodbye": b'[7,"asleep",60]',
    }
