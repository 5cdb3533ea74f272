"""What a device prints, line by line, and waiting for it."""

import re
import threading
import time
from pathlib import Path

# Longer than anything takes on a busy machine; a target that declares `slow` multiplies it.
DEADLINE_S = 20.0

# Text without an end, such as a prompt, is cut here.
MAX_LINE = 4096

# What the failure of `expect` shows: the end of a long output says why something did not come.
SHOWN_LINES = 40


class Console:
    """The lines that `feed` was given and no `expect` has passed yet; all that came is in the file `log`."""

    def __init__(self, log: Path, patience: float):
        self.log = log
        self._patience = patience
        self._file = log.open("ab")
        self._lines: list[str] = []
        self._rest = b""
        self._ended = ""
        self._news = threading.Condition()

    def feed(self, data: bytes) -> None:
        """Take bytes that came, from any thread."""
        with self._news:
            if self._file.closed:
                return
            self._file.write(data)
            self._file.flush()
            *lines, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) > MAX_LINE:
                lines, self._rest = [*lines, self._rest], b""
            self._lines += [line.decode(errors="backslashreplace").rstrip("\r") for line in lines]
            self._news.notify_all()

    def end(self, why: str) -> None:
        """Nothing comes any more until `clear`."""
        with self._news:
            self._ended = why
            self._news.notify_all()

    def clear(self) -> None:
        """Forget what was not asked for: what comes now is of another start."""
        with self._news:
            self._lines, self._rest, self._ended = [], b"", ""

    def expect(self, pattern: str, seconds: float = DEADLINE_S) -> "re.Match[str]":
        """Wait for a line that matches; those before it are gone. A failure shows what was left, and where all is."""
        seconds *= self._patience
        end = time.monotonic() + seconds
        at = 0
        with self._news:
            while True:
                for number in range(at, len(self._lines)):
                    if found := re.search(pattern, self._lines[number]):
                        del self._lines[: number + 1]
                        return found
                at = len(self._lines)
                if self._ended:
                    raise AssertionError(self._missing(pattern, self._ended))
                if not self._news.wait(end - time.monotonic()) and time.monotonic() > end:
                    raise AssertionError(self._missing(pattern, f"{seconds:g} s have passed"))

    def close(self) -> None:
        """End the log."""
        with self._news:
            self._file.close()

    def _missing(self, pattern: str, why: str) -> str:
        left = [*self._lines, self._rest.decode(errors="backslashreplace")][-SHOWN_LINES:]
        shown = "\n".join(f"    {line}" for line in left)
        return f"no line like {pattern!r}: {why}. Left in the buffer:\n{shown}\nThe whole console: {self.log}"
