"""Log lines that somebody else can cause at will: how many of them there are. This is the one place that says it.

A flood is seen while somebody looks, and fills no disk when nobody does. `PerMinute` says whether there is room for a
line; it is for lines that tell a count of their own. `BoundedLog` also logs how many lines had no room. `is_told` is
for what one device or caller does again and again, and needs no clock.
"""

import logging
from collections.abc import Callable

MINUTE_S = 60.0


def is_told(count: int) -> bool:
    """True for the first, 10th, 100th, … time."""
    return str(count).strip("0") == "1"


class PerMinute:
    """True for the first `lines` calls of each minute, which begins with the first of them.

    `clock()` gives seconds, and may be set, in either direction: a new minute begins then.
    """

    def __init__(self, clock: Callable[[], float], lines: int = 1):
        self._clock = clock
        self._lines = lines
        self._began = 0.0
        self._count = 0

    def __call__(self) -> bool:
        """Count one more; true while there is room for it."""
        self.over()
        if not self._count:
            self._began = self._clock()
        self._count += 1
        return self._count <= self._lines

    def over(self) -> int:
        """How many had no room, once their minute is over: told once. 0 before."""
        if not self._count or 0 <= self._clock() - self._began < MINUTE_S:
            return 0
        more, self._count = self._count - self._lines, 0
        return max(more, 0)


class BoundedLog:
    """Logs the first `lines` of each minute as they are, and when it is over how many more there were.

    `what` names them in the plural, for that line; `clock` is as above. Call it with a level, a text and its arguments,
    and `tick` now and then.
    """

    def __init__(self, logger: logging.Logger, what: str, lines: int, clock: Callable[[], float]):
        self._logger = logger
        self._what = what
        self._room = PerMinute(clock, lines)
        self._level = logging.INFO

    def __call__(self, level: int, text: str, *args: object) -> None:
        """Log a line, or count it."""
        self.tick()
        if not self._logger.isEnabledFor(level):
            return
        if self._room():
            self._logger.log(level, text, *args)
        else:
            self._level = max(self._level, level)

    def tick(self) -> None:
        """Let time pass."""
        more = self._room.over()
        if more:
            level, self._level = self._level, logging.INFO
            self._logger.log(level, "%d more %s within a minute", more, self._what)
