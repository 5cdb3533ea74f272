"""Each of firmware-examples/, as it is, on MicroPython in a heap of 190 KB: its events, its commands, what it prints.

The highest use of the heap is printed (`pytest -s`, or the captured output).
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from boards import ROOT, BoardProcess, Place, status

from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

EXAMPLES = ROOT / "firmware-examples"
SIM = EXAMPLES / "sim"

# Runs main.py beside a task that looks at the heap; what is in use after a collection is what a board must have.
WATCHED = """
import asyncio, gc

async def watch():
    highest = 0
    while True:
        gc.collect()
        if gc.mem_alloc() > highest + 512:
            highest = gc.mem_alloc()
            print("high water", highest)
        await asyncio.sleep_ms(50)

asyncio.create_task(watch())
exec(open("example.py").read())
"""


class Example:
    """One example at a place; `name` is that of its folder."""

    def __init__(self, place: Place, tree: Path, name: str):
        self.place = place
        self.folder = EXAMPLES / name
        place.tree = Path(f"{SIM}:{tree}")
        self.shown = json.loads((self.folder / "eventhive.json").read_text())
        self.id = self.shown["id"]
        self.home = place.folder / self.id
        self.home.mkdir()
        shutil.copy(self.folder / "main.py", self.home / "example.py")

    def start(self, **link: Any) -> BoardProcess:
        """Switch it on, with the settings that are shown, another link, and a key."""
        more = {key: value for key, value in self.shown.items() if key not in ("id", "key", "link", "connectors")}
        return self.place.board(self.place.settings(self.id, **link, **more), program=WATCHED)

    def printed(self) -> list[str]:
        """What its page says that it prints; numbers and addresses stand for any."""
        page = (self.folder / "README.md").read_text()
        block = re.search(r"\*\*What it prints:?\*\*.*?```text\n(.*?)```", page, re.DOTALL)
        assert block is not None
        return block[1].splitlines()

    def check(self, board: BoardProcess) -> None:
        """Everything that the page promises is printed."""
        for line in self.printed():
            # Numbers stand for any.
            pattern = re.sub(r"\d+(\\\.\d+)*", r"[\\d.]+", re.escape(line))
            words = max(re.split(r"[\d.]+", line), key=len)
            count = 1
            while not any(re.fullmatch(pattern, one) for one in board.expect(words, count)):
                count = len(board.seen(words)) + 1
        print(self.folder.name, board.seen("high water")[-1])


@pytest.fixture
def example(place: Place, tree: Path, request: pytest.FixtureRequest) -> Example:
    return Example(place, tree, request.param)


def uses(name: str) -> Any:
    return pytest.mark.parametrize("example", [name], indirect=True, ids=[name])


@uses("picow-thermometer")
def test_thermometer(example: Example) -> None:
    hub = example.place.hub("queen/temperature")
    board = example.start()
    assert hub.arrived("queen/temperature", 1)[0]["device"] == "sensor-1"
    hub.call("my-hive/sensor-1/led", {"on": True})
    board.expect("led on")
    example.check(board)


@uses("esp32-button-led")
def test_button(example: Example) -> None:
    hub = example.place.hub("queen/button")
    board = example.start()
    board.expect("link up")
    (example.home / "sim.pin0").write_text("0")
    board.expect("pressed")
    (example.home / "sim.pin0").unlink()
    assert hub.arrived("queen/button", 2) == [
        {"pressed": True, "device": "button-1"},
        {"pressed": False, "device": "button-1"},
    ]
    hub.call("my-hive/button-1/led", {"on": True})
    board.expect("led on")
    assert board.seen("sim: pin 2 is 1")
    example.check(board)


@uses("pico-usb-serial")
def test_usb(example: Example) -> None:
    # What test_ports.py does with a port of its own; here, the program over another link.
    hub = example.place.hub("queen/temperature")
    board = example.start()
    assert hub.arrived("queen/temperature", 1) == [{"celsius": 27.0, "device": "pico-1"}]
    hub.call("my-hive/pico-1/led", {"on": True})
    board.expect("led on")
    example.check(board)


@uses("esp32-uart-relay")
def test_relay(example: Example) -> None:
    _, device = example.place.plug()
    (example.home / "sim.uart").write_text(device)
    hub = example.place.hub("queen/relays")
    board = example.start(link=example.shown["link"])
    assert hub.arrived("queen/relays", 1)[0] == {"relays": [0, 0], "device": "relay-1"}
    hub.call("my-hive/relay-1/switch", {"relay": 0, "on": True})
    hub.call("my-hive/relay-1/switch", {"relay": 0, "on": False})
    states = [one["relays"] for one in hub.arrived("queen/relays", 3)]
    assert states == [[0, 0], [1, 0], [0, 0]]
    example.check(board)


@uses("esp32-deepsleep-sensor")
def test_sleeper(example: Example) -> None:
    (example.home / "sim.adc34").write_text("13762")
    hub = example.place.hub("queen/level")
    board = example.start()
    board.expect("sim: deepsleep 600000")
    assert hub.arrived("queen/level", 1) == [{"level": 0.21, "device": "well-1"}]
    board.wait()
    example.check(board)
    assert 590 <= status(example.place, "well-1")["wakes_in_s"] <= 600
    hub.call("my-hive/well-1/period", {"seconds": 60})
    settings = json.loads((example.home / "eventhive.json").read_text())
    board = example.place.board(settings, program=WATCHED)
    board.expect("sleeps 60 s from now on")
    board.expect("sim: deepsleep 60000")


@uses("picow-datalogger")
def test_logger(example: Example) -> None:
    source = (example.home / "example.py").read_text()
    assert "PERIOD_MS = 1000" in source
    # A hundred times as fast as on the page.
    (example.home / "example.py").write_text(source.replace("PERIOD_MS = 1000", "PERIOD_MS = 10"))
    hub = example.place.hub("queen/sample")
    board = example.start()
    hub.arrived("queen/sample", 10)
    board.expect(" 0 on flash")
    hub.kill()
    # The outage is over once there is something on flash.
    while not any(re.search(r" [1-9]\d* on flash", line) for line in board.expect("on flash", 1)):
        board.expect("on flash", len(board.seen("on flash")) + 1)
    hub = example.place.hub("queen/sample", "queen/latest")
    board.expect("link up", 2)
    numbers = [one["n"] for one in hub.arrived("queen/sample", 100)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    # Of the other event, one value waited.
    assert len(hub.seen('arrived ["queen/latest"')) < len(hub.seen('arrived ["queen/sample"'))
    example.check(board)


def test_no_example_is_left_out() -> None:
    ours = {"demo-thermometer", "chaos-device", "sim"}
    tested = set(re.findall(r'@uses\("([\w-]+)"\)', Path(__file__).read_text()))
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} - ours == tested
