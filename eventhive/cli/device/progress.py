"""What a long step shows while it lasts: on a terminal a line that grows, elsewhere a line at each quarter."""

import sys

from ..output import printable, say

QUARTER = 25


class Progress:
    """How much of `total` is done of a step called `what`; `step` is told what was done since the last time."""

    def __init__(self, what: str, total: int):
        self._what = what
        self._total = total
        self._done = 0
        self._shown = 0
        self._terminal = sys.stderr.isatty()

    def step(self, more: int) -> None:
        """So much more is done."""
        self._done += more
        percent = self._done * 100 // self._total if self._total else 100
        if self._terminal and percent != self._shown:
            end = "\n" if percent >= 100 else ""
            print(f"\r{printable(self._what)}: {percent} %", end=end, file=sys.stderr, flush=True)
            self._shown = percent
        elif percent // QUARTER > self._shown // QUARTER:
            say(f"{self._what}: {percent} %")
            self._shown = percent
