"""A gateway tells its networks how its devices are: real processes, devices that run MicroPython."""

import json
from pathlib import Path

import pytest
from boards import EVENT, ROOT, Place, free_port, status

from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

SIM = ROOT / "firmware-examples" / "sim"

# What happens to a device is told at once, so that nobody waits for the grace here.
AT_ONCE = "  availability: {grace: 0, oversleep: 60}\n"

# Asks a device for something the moment it is said to be online.
ASKS = """
import sys, eventhive
from eventhive.cli.output import log_to_stderr

log_to_stderr("info")
eventhive.CONFIG.read_file("gateway.yaml")

@eventhive.hook("queen/device")
def told(data):
    if data["state"] == "online":
        eventhive.EVENTS.call(f"my-hive/{data['device']}/led", "welcome")

eventhive.init()
print("ready", flush=True)
for line in sys.stdin:
    pass
eventhive.stop()
"""


def test_online_and_offline(place: Place) -> None:
    place.add(AT_ONCE)
    hub = place.hub("queen/event", "queen/device")
    board = place.board(place.settings("s1"))
    (first,) = hub.arrived("queen/device", 1)
    assert (first["device"], first["state"], first["link"]) == ("s1", "online", "websocket")
    assert first["address"].startswith("127.0.0.1:") and first["reason"] == "connected"
    board.kill()
    second = hub.arrived("queen/device", 2)[1]
    assert (second["state"], second["flaps"], second["address"]) == ("offline", 1, first["address"])
    assert second["last_seen"] >= first["since"] and second["reason"].startswith("connection lost")
    found = status(place, "s1")
    assert (found["state"], found["reason"], found["online"]) == ("offline", second["reason"], False)
    done = place.command("device", "remove", "s1")
    assert done.returncode == 0, done.stderr
    assert len(hub.seen("arrived")) == 2


def test_one_that_sleeps(place: Place, tree: Path) -> None:
    place.add(AT_ONCE)
    hub = place.hub("queen/event", "queen/device")
    place.tree = Path(f"{SIM}:{tree}")
    board = place.board(place.settings("s1", wifi={"ssid": "attic"}))
    board.expect("link up")
    board.tell(f"asyncio.create_task(eventhive.sleep(90000)) if eventhive.EVENTS.call('{EVENT}', 1) else None")
    asleep = hub.arrived("queen/device", 2)[1]
    assert (asleep["state"], asleep["reason"]) == ("asleep", "the other end said goodbye: asleep")
    assert 80 <= asleep["wakes"] - asleep["last_seen"] <= 91
    (line,) = [one for one in place.command("gateway", "status").stdout.splitlines() if one.startswith("s1")]
    assert line.split()[1] == "asleep,"
    # And it is asleep for a gateway that is started anew.
    assert hub.process.stdin is not None
    hub.process.stdin.close()
    assert hub.wait() == 0
    (again,) = place.hub("queen/device").arrived("queen/device", 1)
    assert (again["state"], again["wakes"]) == ("asleep", pytest.approx(asleep["wakes"], abs=0.1))
    assert again["last_seen"] == pytest.approx(asleep["last_seen"], abs=0.1)


def test_who_is_told_that_a_device_is_online_can_send_to_it(place: Place) -> None:
    place.hub(program=ASKS)
    place.board(place.settings("s1"), "s1/led").expect("hook s1/led welcome")


def test_another_process_and_another_device_are_told_under_the_name_of_the_gateway(place: Place) -> None:
    port = free_port()
    network = "connectors:\n  my-hive: {pubsub_type: websocket, input_channel: %s, init: {port: %d}}\n"
    server = f"servers:\n  my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}\n"
    (place.folder / "other.yaml").write_text(network % ("cellar", port))
    gateway = f"gateway:\n  name: cellar\n  websocket: {{port: {place.port}}}\n"
    (place.folder / "gateway.yaml").write_text(network % ("queen", port) + server + gateway)
    place.hub()
    other = place.hub("cellar/device", file="other.yaml")
    settings = place.settings("lamp", connectors={"my-hive": {"input_channel": "cellar"}})
    done = place.command("device", "allow", "lamp", "--receive", "cellar/device")
    assert done.returncode == 0, done.stderr
    lamp = place.board(settings, "cellar/device")
    lamp.expect("link up")
    place.board(place.settings("s1"))
    lamp.expect("'state': 'online'", 2)
    told = other.arrived("cellar/device", 2)
    assert [one["device"] for one in told] == ["lamp", "s1"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("name: a/b", "gateway.yaml:6:3: gateway.name: 'a/b' is one part of an event name: no '/' in it"),
        ("availability: {grace: -1}", "gateway.yaml:6:18: gateway.availability.grace: an integer from 0 to 86400"),
        ("availability: {grase: 1}", "unknown key 'grase' in gateway.availability (did you mean 'grace'?)"),
        ("availability: true", "gateway.yaml:6:3: gateway.availability: a mapping (key: value) is needed"),
    ],
)
def test_a_bad_line_names_its_place(place: Place, line: str, fault: str) -> None:
    place.add(f"  {line}\n")
    done = place.command("gateway", "check", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    whole = f"{found['file']}:{found['line']}:{found['column']}: {found['problem']}"
    assert fault in whole
