"""The device under test without hardware: MicroPython's unix port, in the staged tree, with the heap of a board."""

import json
import os
import queue
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from eventhive.cli.demo.cable import Cable
from eventhive.device.tools import micropython

# What a Pico W has free after start, 200 KB, less its driver of the radio.
HEAP = "190K"

DEADLINE_S = 60


class UnixPort:
    """One board with a staged `tree`: `port` is its serial port as the computer sees it, `device` as the board does."""

    def __init__(self, folder: Path, tree: Path):
        self.log = folder / "console.txt"
        self._folder = folder / "board"
        self._cable = Cable()
        self.port, self.device = self._cable.ends
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        shutil.copytree(tree, self._folder)

    def run(self, program: str, settings: dict[str, Any]) -> None:
        """Copy program and configuration to the board, and start it."""
        (self._folder / "main.py").write_text(program, encoding="utf-8")
        (self._folder / "eventhive.json").write_text(json.dumps(settings), encoding="utf-8")
        self.reset()

    def reset(self) -> None:
        """Cut the power, and switch on again."""
        self._end()
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            [*(micropython() or ()), "-X", f"heapsize={HEAP}", "main.py"],
            cwd=self._folder,
            env={**os.environ, "MICROPYPATH": f"{self._folder}:.frozen"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self._process, self._lines), daemon=True).start()

    def expect(self, pattern: str) -> "re.Match[str]":
        """Wait for a line of the console that matches; the failure shows what came instead, and where it all is."""
        end = time.monotonic() + DEADLINE_S
        seen = []
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line like {pattern!r} among {seen}; the whole console: {self.log}")
            found = re.search(pattern, line)
            if found:
                return found
            seen.append(line)

    def close(self) -> None:
        """End it and unplug the cable."""
        self._end()
        self._cable.close()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _read(self, process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
        assert process.stdout is not None
        with process.stdout, self.log.open("a", encoding="utf-8") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                lines.put(line.rstrip("\n"))
        lines.put(None)
