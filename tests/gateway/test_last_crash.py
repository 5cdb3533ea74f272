"""A board whose program raises: the gateway passes on what it prints, and remembers its crash. Real MicroPython."""

import json
import os
import subprocess
import sys
import tty
from pathlib import Path
from typing import Any

import pytest
from boards import DEADLINE_S, HEAP, ROOT, Place, status

from eventhive.cli.device.console import LEAVE
from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

# Over USB, what is printed shares the port with the link.
PROGRAM = """
import asyncio
import eventhive

@eventhive.hook("s1/measure")
def measure(pin):
    print("measuring", pin)
    raise ValueError("no sensor at %s" % pin)

async def main():
    while True:
        await asyncio.sleep(1)

eventhive.init()
asyncio.run(eventhive.run(main()))
"""


class Plugged:
    """A board on the cable of a place."""

    def __init__(self, place: Place):
        self.near, device = place.plug()
        self.home: Path = place.folder / "s1"
        self.home.mkdir()
        (self.home / "eventhive.json").write_text(json.dumps(place.settings("s1", link={"type": "usb"})))
        (self.home / "main.py").write_text(PROGRAM)
        port = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(port)
        command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", "main.py"]
        environment = {**os.environ, "MICROPYPATH": f"{place.tree}:.frozen"}
        self.process = subprocess.Popen(command, cwd=self.home, env=environment, stdin=port, stdout=port, stderr=port)
        os.close(port)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def test_the_last_crash_is_kept_and_the_console_is_told(place: Place) -> None:
    place.add("  console_events: true\n")
    board = Plugged(place)
    try:
        hub = place.hub("queen/console", "queen/device")
        hub.arrived("queen/device", 1)
        hub.call("my-hive/s1/measure", "pin 4")
        hub.expect("no sensor at pin 4")
        crash = crash_of(place)
        assert (crash["kind"], crash["what"]) == ("exception", "ValueError: no sensor at pin 4")
        assert crash["port"] == board.near
        assert crash["text"][0] == "Traceback (most recent call last):" and "main.py" in "".join(crash["text"])
        lines = hub.arrived("queen/console", len(crash["text"]) + 3)
        assert {(one["device"], one["port"], one["left_out"]) for one in lines} == {("s1", board.near, 0)}
        assert [one["text"] for one in lines] == [
            *("eventhive: link up", "measuring pin 4", "eventhive: a hook of s1/measure failed:"),
            *crash["text"],
        ]
        lines = place.command("gateway", "status").stdout.splitlines()
        (row,) = [line.split() for line in lines if "ValueError" in line]
        assert row[0] == "s1" and row[-6:] == ["ValueError:", "no", "sensor", "at", "pin", "4"]
        console = subprocess.run(
            [sys.executable, "-m", "eventhive", "device", "console", "s1", "--config", "gateway.yaml"],
            cwd=place.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            input=LEAVE, capture_output=True, timeout=DEADLINE_S,
        )
        assert console.returncode == 0
        shown = console.stderr.decode().splitlines()
        assert shown[0].startswith("last crash, ") and shown[len(crash["text"])] == "  ValueError: no sensor at pin 4"
        # As after a stop for an upgrade: it is still known.
        assert hub.process.stdin is not None
        hub.process.stdin.close()
        assert hub.wait() == 0
        place.hub()
        assert crash_of(place) == crash
    finally:
        board.end()


def crash_of(place: Place) -> Any:
    return status(place, "s1")["crash"]
