"""Crashes of boards, as their consoles tell them: tracebacks of MicroPython, and resets that nobody asked for.

Rules of this file: no I/O. Lines are those of a console, without control characters and not endless. A traceback is one
that the program printed, whether or not it ended of it; that somebody pressed Ctrl-C is none.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

HEAD = "Traceback (most recent call last):"
_FRAME = "  "

# Lines of a traceback: deep recursion has hundreds, of which the last tell where.
MAX_LINES = 12

# What ends a program that somebody interrupts, or that ends itself.
_WANTED = re.compile(r"(KeyboardInterrupt|SystemExit)\b")

# What the chips and their firmware say. A reset that was asked for, and switching it on, have other names.
_RESETS = (
    re.compile(r"rst:0x[0-9a-f]+ \((\w*(?:WDT|BROWN|GLITCH|LOCKUP|PWR_DOWN)\w*)\)"),
    re.compile(r"(Guru Meditation Error: .*)"),
    re.compile(r"(Brownout detector was triggered)"),
    re.compile(r"(abort\(\) was called at .*)"),
    re.compile(r"(FATAL: uncaught exception.*)"),
    re.compile(r"(\*\*\* PANIC \*\*\*.*)"),
)

EXCEPTION = "exception"
RESET = "reset"


class Crash(NamedTuple):
    """What happened: `kind` is EXCEPTION or RESET, `what` says it in one line, `text` is all of it."""

    kind: str
    what: str
    text: list[str]


class Crashes:
    """Reads the lines of one console; `crashed(crash)` is called for each."""

    def __init__(self, crashed: Callable[[Crash], object]):
        self._crashed = crashed
        self._lines: list[str] = []

    def read(self, line: str) -> None:
        """A line of the console."""
        if HEAD in line:
            # After a prompt, maybe, or in the middle of another one, which will not go on.
            self._lines = [HEAD]
        elif self._lines and line.startswith(_FRAME):
            self._lines.append(line)
            if len(self._lines) > MAX_LINES:
                del self._lines[1]
        elif self._lines:
            lines, self._lines = [*self._lines, line], []
            if not _WANTED.match(line):
                self._crashed(Crash(EXCEPTION, line, lines))
        else:
            self._look_for_reset(line)

    def _look_for_reset(self, line: str) -> None:
        for pattern in _RESETS:
            match = pattern.search(line)
            if match is not None:
                self._crashed(Crash(RESET, match[1], [line]))
                return
