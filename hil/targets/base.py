"""What every target is: the contract between the tests and a kind of device.

A target is opened once for a run, and used for one test after the other: `begin`, `run` as often as the test wants,
`end`. What it cannot do is not in its `capabilities`, and the tests that need it are skipped with that as the reason.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from eventhive.device.stage import compile_mpy
from hil.lib.console import Console
from hil.lib.frames import Frames
from hil.lib.wire import Wire

# What a target may have, and what a test that needs it says when it has not.
CAPABILITIES = {
    "network": "reaches the gateway over TCP",
    "serial": "has a serial line to the gateway",
    "wifi": "has a radio, or a stand-in for one",
    "sleep": "sleeps deeply and wakes within a test",
    "slow": "takes seconds for what others do in milliseconds",
}

# A `slow` target has so many times as long for everything, and sends fewer events.
SLOW_PATIENCE = 15.0
EVENTS, SLOW_EVENTS = 10_000, 1_000

# What a program's file is when the board runs it: compiled, because compiling it there takes more heap than running it.
MAIN = "import program\n"


@dataclass
class Facts:
    """What a report says of a target: the firmware in its own words, and the heap that is free at its start."""

    firmware: str = "unknown"
    heap: int = 0


@dataclass(eq=False)
class Target:
    """One device, with hardware or without. `name` is that of reports; `host` is the address of this machine for it."""

    name: str
    capabilities: frozenset[str]
    host: str = "127.0.0.1"
    epoch: int = 1970
    extras: dict[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    # Of the test that runs.
    console: Console = field(init=False)
    frames: Frames = field(init=False)
    wire: "Wire | None" = field(init=False, default=None)
    folder: Path = field(init=False)

    @property
    def patience(self) -> float:
        """By how much a deadline is longer than for a process on this machine."""
        return SLOW_PATIENCE if "slow" in self.capabilities else 1.0

    @property
    def events(self) -> int:
        """How many events a long test sends."""
        return SLOW_EVENTS if "slow" in self.capabilities else EVENTS

    def open(self, tree: Path) -> None:
        """Take the device, alone, and put the staged `tree` on it."""
        raise NotImplementedError

    def close(self) -> None:
        """Give it back, also where `open` has failed on the way."""

    def begin(self, folder: Path) -> None:
        """A test begins, and its records go into `folder`."""
        self.folder = folder
        self.console = Console(folder / "console.txt", self.patience)
        self.frames = Frames(folder / "frames.txt")

    def end(self) -> None:
        """It is over: the device is quiet, its line is free."""
        self.halt()
        if self.wire:
            self.wire.close()
            self.wire = None
        self.console.close()
        self.frames.close()

    def serial_link(self) -> dict[str, Any]:
        """The `link` of its configuration that is the wire."""
        raise NotImplementedError

    def put(self, files: dict[str, bytes]) -> None:
        """Write files beside the tree."""
        raise NotImplementedError

    def reset(self) -> None:
        """Start it anew, at once, as a power cut does where the target can."""
        raise NotImplementedError

    def wake(self) -> None:
        """End its deep sleep, where it does not end by itself."""

    def halt(self) -> None:
        """Stop its program."""
        raise NotImplementedError

    def radio(self, there: bool) -> None:
        """Take its wireless network away, or give it back, where that is this side's to do."""

    def run(self, program: str, settings: dict[str, Any]) -> None:
        """Copy program and configuration to the device, and start it."""
        source, compiled = self.folder / "program.py", self.folder / "program.mpy"
        source.write_text(program, encoding="utf-8")
        compile_mpy(source, compiled, "program")
        settings = {**settings, **self.extras}
        self.halt()
        self.put(
            {
                "main.py": MAIN.encode(),
                "program.mpy": compiled.read_bytes(),
                "eventhive.json": json.dumps(settings).encode(),
            }
        )
        self.reset()

    def need(self, *capabilities: str) -> None:
        """Skip the test where one of these is missing."""
        for one in capabilities:
            if one not in self.capabilities:
                pytest.skip(f"{self.name} has no '{one}': it {CAPABILITIES[one]}, if so")
