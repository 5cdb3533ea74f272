"""Devices without hardware: MicroPython's unix port as a process, in the staged tree, with the heap of a board."""

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from eventhive.device.tools import micropython
from hil.lib.wire import Terminal, Wire
from hil.targets.base import Target

ROOT = Path(__file__).resolve().parents[2]

# Of a board: joining, sleeping and restarting become lines that it prints.
SIM = ROOT / "firmware-examples" / "sim"
# Of an ESP32: the modules of its firmware that differ from those of the unix port.
ESP32 = ROOT / "hil" / "sim"

# What a Pico W has free after start, 200 KB, less its driver of the radio.
PICO_HEAP = "190K"
# The device package and a first event take 48 KB (tests/bench/device_footprint.py); with the programs here, which hook,
# answer and count, all tests pass in 88 KB, and not in 80. A step more, so that no test depends on where objects happen
# to lie. Objects of 64 bits are twice as large: this is what 48 KB are on a board.
ESP32_HEAP = "96K"

# The ring of an ESP32's REPL port has 260 bytes, of which one is never used; what comes when it is full is gone.
ESP32_RING = 259

FACTS = "import gc, sys; print(sys.version.split('; ')[-1], ';', gc.mem_free(), sep='')"

WIFI = {"wifi": {"ssid": "hil", "password": "hil-password"}}


@dataclass(eq=False)
class UnixPort(Target):
    """A process for each start, in a folder for each test."""

    heap: str = PICO_HEAP
    ring: int = 0
    shims: tuple[Path, ...] = ()
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None)

    def open(self, tree: Path) -> None:
        """Nothing to take: it is a process."""
        if micropython() is None:
            pytest.skip("no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one")
        self._tree = tree
        command = [*(micropython() or ()), "-X", f"heapsize={self.heap}", "-c", FACTS]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        self.facts.firmware, heap = shown.strip().rsplit(";", 1)
        self.facts.heap = int(heap)

    def begin(self, folder: Path) -> None:
        super().begin(folder)
        self._home = folder / "board"
        shutil.copytree(self._tree, self._home)
        self._terminal = Terminal(self.ring)
        self.wire = Wire(folder / "port", self._terminal, self.frames)
        self.wire.plug()

    def serial_link(self) -> dict[str, Any]:
        return {"type": "serial", "device": self._terminal.path}

    def put(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            (self._home / name).write_bytes(data)

    def reset(self) -> None:
        self.halt()
        self.console.clear()
        path = ":".join([*map(str, self.shims), str(self._home), ".frozen"])
        self._process = subprocess.Popen(
            [*(micropython() or ()), "-X", f"heapsize={self.heap}", "main.py"],
            cwd=self._home,
            env={**os.environ, "MICROPYPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def wake(self) -> None:
        # The stand-in for deep sleep is the end of the program.
        self.console.expect("sim: deepsleep")
        self.reset()

    def halt(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process = None

    def radio(self, there: bool) -> None:
        state = self._home / "sim.wifi"
        if there:
            state.unlink(missing_ok=True)
        else:
            state.write_text("off")

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout:
            while data := process.stdout.read1():
                self.console.feed(data)
        self.console.end(f"its program has ended with exit code {process.wait()}")


def pico_like() -> Target:
    """The target `micropython`: what a Pico W has, but its radio."""
    return UnixPort("micropython", frozenset({"network", "serial"}))


def esp32_like() -> Target:
    """The target `esp32-like`: what an ESP32 without extra RAM has less, and a stand-in for its radio."""
    capabilities = frozenset({"network", "serial", "wifi", "sleep"})
    shims = (ESP32, SIM)
    return UnixPort("esp32-like", capabilities, epoch=2000, extras=WIFI, heap=ESP32_HEAP, ring=ESP32_RING, shims=shims)
