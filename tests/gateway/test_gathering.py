"""When a group is complete: in a real loop, with events and hooks that a test ends."""

import asyncio
from collections.abc import Callable

from eventhive.gateway.gathering import Gathering

DEADLINE_S = 5.0


class Group:
    """What a gathering asks for: `brings` more events with each of so many iterations; hooks end when `ended` says."""

    def __init__(self, brings: int = 0, hooks: bool = False, quick: bool = False):
        self.waiting = 1
        self.asked = 0
        self.ended: list[Callable[[], None]] = []
        self.complete: asyncio.Queue[tuple[int, bool]] = asyncio.Queue()
        self._brings = brings
        self._hooks = hooks
        self.gathering = Gathering(
            asyncio.get_running_loop(), self._count, lambda: quick, self._settle, self._completed
        )

    async def completed(self) -> tuple[int, bool]:
        """How many events there were when it was complete, and whether that was all."""
        return await asyncio.wait_for(self.complete.get(), DEADLINE_S)

    def _count(self) -> int:
        if self._brings:
            self._brings -= 1
            self.waiting += 1
        return self.waiting

    def _settle(self, ended: Callable[[], None]) -> bool:
        self.asked += 1
        if self._hooks:
            self.ended.append(ended)
        return self._hooks

    def _completed(self, all_in: bool) -> None:
        self.complete.put_nowait((self.waiting, all_in))


def test_it_goes_on_while_iterations_bring_more() -> None:
    async def run() -> None:
        group = Group(brings=5)
        group.gathering.begin()
        assert await group.completed() == (6, True)

    asyncio.run(run())


def test_but_not_without_end() -> None:
    async def run() -> None:
        group = Group(brings=10**9)
        group.gathering.begin()
        count, all_in = await group.completed()
        assert count > 1 and not all_in

    asyncio.run(run())


def test_hooks_run_first() -> None:
    async def run() -> None:
        group = Group(hooks=True)
        group.gathering.begin()
        while not group.ended:
            await asyncio.sleep(0)
        assert group.complete.empty()
        group.ended.pop()()
        assert await group.completed() == (1, True)
        assert group.complete.empty()

    asyncio.run(run())


def test_hooks_are_not_waited_for_where_the_disk_is_quick() -> None:
    async def run() -> None:
        group = Group(hooks=True, quick=True)
        group.gathering.begin()
        assert await group.completed() == (1, True)
        assert group.asked == 0

    asyncio.run(run())


def test_slow_hooks_are_not_waited_for_and_for_a_while_not_asked() -> None:
    async def run() -> None:
        group = Group(hooks=True)
        group.gathering.begin()
        assert await group.completed() == (1, True)
        # Too late: that group is complete.
        group.ended.pop()()
        group.gathering.begin()
        assert await group.completed() == (1, True)
        assert group.asked == 1 and group.complete.empty()

    asyncio.run(run())
