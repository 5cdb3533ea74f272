"""A gateway whose machine is given another time while it runs, in both directions, under traffic.

The time of the machine itself is everybody's, and Linux has no namespace for it. So a library stands between the daemon
and the C library (`lib/clock_shim.c`), and moves what that says of the time of day; the clocks that nobody sets are the
real ones. This is what a process sees of a time that is set.
"""

import sys

import pytest
from boards import EVENT, HIVE, Place, Process, free_port, status
from moved_clock import MovedClock

from eventhive.device.tools import micropython

EVENTS = 300

GATEWAY = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: gateway, {delivery} init: {{port: {port}}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: {devices}}}
  command_ttl: 3600
"""


@pytest.mark.parametrize("delivery", ["", "delivery: once,"])
@pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)
def test_the_time_is_set_forwards_and_backwards(place: Place, clock: MovedClock, delivery: str) -> None:
    port = free_port()
    (place.folder / "hive.yaml").write_text(HIVE.format(port=port))
    (place.folder / "gateway.yaml").write_text(GATEWAY.format(port=port, devices=place.port, delivery=delivery))
    hive = place.hub("queen/event", file="hive.yaml")
    command = [sys.executable, "-m", "eventhive", "gateway"]
    gateway: Process = place.start(Process(command, place.folder, **clock.environment))
    gateway.expect("eventhive gateway: ready")
    board, sleeper = place.board(place.settings("s1")), place.board(place.settings("s2"), "s2/led")
    for one in (board, sleeper):
        one.expect("link up")
    sleeper.kill()
    gateway.expect("device s2: offline")
    hive.call("my-hive/s2/led", "on")
    board.tell(f"asyncio.create_task(calling({EVENT!r}, {EVENTS}))")
    for number, days in enumerate((400, -4000, 0), 1):
        hive.arrived("queen/event", number * EVENTS // 6)
        clock.move(days)
        # It has seen the new time: a line of the log has it.
        name = f"n{number}"
        place.board(place.settings(name)).expect("link up")
        (line,) = gateway.expect(f"device {name}: online")
        assert line.startswith(clock.date(days))
        hive.arrived("queen/event", (number + 1) * EVENTS // 6)
        # A command has an hour of a clock that nobody sets.
        assert (status(place, "s2")["waiting"], status(place, "s2")["expired"]) == (1, 0)
    assert hive.arrived("queen/event", EVENTS) == list(range(EVENTS))
    assert len(gateway.seen("device s1: online")) == 1 and not gateway.seen("device s1: offline")
    place.board(place.settings("s2", key=place.keys.load()["s2"].key.hex()), "s2/led").expect("hook s2/led on")
