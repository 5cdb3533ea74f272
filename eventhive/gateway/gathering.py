"""When a group of events is complete, which is to be one commit: in the loop, without I/O.

Rules of this file:
1. While each iteration of the loop brings more, a group goes on: one commit for fifty devices instead of three.
2. Hooks of this process run first where a group is too large, or the disk too slow, to be noted at once: an event that
   is confirmed before it is written needs no row. Where they are slow, nobody waits for them.
"""

import asyncio
from collections.abc import Callable

# How long a group goes on at most; a commit on a quick disk takes a quarter of it.
GATHER_S = 0.002

# How long hooks may take for a group: some 500 quick ones run in that time. After they took longer, they are not waited
# for again for so long.
HOOKS_S = 0.005
IMPATIENT_S = 0.25


class Gathering:
    """Calls `complete(all_in)` once for each `begin()`, soon. `all_in`: the last iteration brought no more.

    `waiting()` is how many events there are so far; `at_once()` is true where their hooks are not to be waited for.
    `settle(ended)` has `ended` called in the loop when hooks of this process have run for them; false where there is
    nothing to wait for.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: Callable[[], int],
        at_once: Callable[[], bool],
        settle: Callable[[Callable[[], None]], bool],
        complete: Callable[[bool], None],
    ):
        self._loop = loop
        self._waiting = waiting
        self._at_once = at_once
        self._settle = settle
        self._complete = complete
        self._seen = -1
        self._until = 0.0
        self._patient = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """There is a first one."""
        self._seen = -1
        self._until = self._loop.time() + GATHER_S
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        waiting, now = self._waiting(), self._loop.time()
        if waiting == self._seen:
            if self._at_once():
                self._complete(True)
            else:
                self._wait_for_hooks(now)
        elif now < self._until:
            self._seen = waiting
            self._loop.call_soon(self._look)
        else:
            self._complete(False)

    def _wait_for_hooks(self, now: float) -> None:
        if now >= self._patient and self._settle(self._settled):
            self._timer = self._loop.call_later(HOOKS_S, self._too_slow)
        else:
            self._complete(True)

    def _settled(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._complete(True)

    def _too_slow(self) -> None:
        self._timer = None
        self._patient = self._loop.time() + IMPATIENT_S
        self._complete(True)
