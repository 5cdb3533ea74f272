"""A gateway whose machine is given another time while it runs, in both directions, under traffic.

The time of the machine itself is everybody's, and Linux has no namespace for it. So a library stands between the daemon
and the C library (`lib/clock_shim.c`), and moves what that says of the time of day; the clocks that nobody sets are the
real ones. This is what a process sees of a time that is set.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from boards import EVENT, Place, Process, free_port, status

from eventhive.device.tools import micropython

DAY_S = 86_400
EVENTS = 300

HIVE = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: queen, init: {{port: {port}}}}}
servers:
  my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}
"""
GATEWAY = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: gateway, {delivery} init: {{port: {port}}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: {devices}}}
  command_ttl: 3600
"""

pytestmark = [
    pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD is of Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc) to build the clock that can be moved"),
]


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with the clock that can be moved."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).parent / "lib" / "clock_shim.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    return library


class Clock:
    """The time of day of a process."""

    def __init__(self, file: Path):
        self.file = file
        self.move(0)

    def move(self, days: int) -> None:
        """Set it so many days off the right one, in one step."""
        new = self.file.with_suffix(".new")
        new.write_text(str(days * DAY_S))
        os.replace(new, self.file)

    def date(self, days: int) -> str:
        """How a line of the log begins then."""
        return time.strftime("%Y-%m-%d", time.localtime(time.time() + days * DAY_S))


@pytest.mark.parametrize("delivery", ["", "delivery: once,"])
def test_the_time_is_set_forwards_and_backwards(place: Place, shim: Path, delivery: str) -> None:
    port, clock = free_port(), Clock(place.folder / "clock")
    (place.folder / "hive.yaml").write_text(HIVE.format(port=port))
    (place.folder / "gateway.yaml").write_text(GATEWAY.format(port=port, devices=place.port, delivery=delivery))
    hive = place.hub("queen/event", file="hive.yaml")
    command = [sys.executable, "-m", "eventhive", "gateway"]
    moved = {"LD_PRELOAD": str(shim), "EVENTHIVE_TEST_CLOCK": str(clock.file)}
    gateway: Process = place.start(Process(command, place.folder, **moved))
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
