"""Log lines that a stranger can cause at will: some of each minute in full, of the others their number.

A flood is seen while somebody looks, and fills no disk when nobody does.
"""

import logging
from collections.abc import Callable

MINUTE_S = 60.0


class BoundedLog:
    """Logs the first `lines` of each minute as they are, and when it is over how many more there were.

    `what` names them in the plural, for that line; `clock()` gives seconds, and may be set. Call it with a level, a
    text and its arguments, and `tick` now and then.
    """

    def __init__(self, logger: logging.Logger, what: str, lines: int, clock: Callable[[], float]):
        self._logger = logger
        self._what = what
        self._lines = lines
        self._clock = clock
        self._began = clock()
        self._count = 0
        self._level = logging.INFO

    def __call__(self, level: int, text: str, *args: object) -> None:
        """Log a line, or count it."""
        self.tick()
        if not self._logger.isEnabledFor(level):
            return
        if not self._count:
            self._began = self._clock()
        self._count += 1
        if self._count <= self._lines:
            self._logger.log(level, text, *args)
        else:
            self._level = max(self._level, level)

    def tick(self) -> None:
        """Let time pass."""
        if not self._count or 0 <= self._clock() - self._began < MINUTE_S:
            return
        more, level = self._count - self._lines, self._level
        self._count, self._level = 0, logging.INFO
        if more > 0:
            self._logger.log(level, "%d more %s within a minute", more, self._what)
