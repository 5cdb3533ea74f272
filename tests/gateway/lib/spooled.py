"""A spool on disk in this process, with a device and networks that the test has in its hands."""

import asyncio
import functools
import shutil
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from eventhive.core.mark import Mark
from eventhive.gateway.device import Device, Receipt
from eventhive.gateway.quota import REFUSE
from eventhive.gateway.rights import Rights
from eventhive.gateway.spool import Spool

NAME = "my-hive/queen/t"
STREAM = "a1a2a3a400000001"
DEADLINE_S = 10.0


class Hub:
    """A network: notes what it is given, (device, stream, number) and data, and confirms what it is told to.

    `room` is how much it takes; with `hooks`, there are some in this process, which end when `ended` is called.
    """

    connections = 1

    def __init__(self, name: str = "my-hive", hooks: bool = False) -> None:
        self.name = name
        self.connected = True
        self.room = 10**9
        self.got: list[tuple[str, str, int]] = []
        self.data: list[Any] = []
        self.ended: Callable[[], None] | None = None
        # Called when hooks of this process are to begin, in the middle of a commit.
        self.hurried: Callable[[], object] = lambda: None
        self._hooks = hooks
        self._confirmed: Callable[[Iterable[Any]], None] = lambda answers: None

    @property
    def ready(self) -> bool:
        return self.connected and self.room > 0

    @property
    def numbers(self) -> list[int]:
        return [number for _, _, number in self.got]

    def publish(self, *arguments: Any) -> bool:
        return False

    def publish_once(self, events: list[Any], carried: Any = None) -> int:
        taken = events[: self.room]
        self.room -= len(taken)
        for _, data, device, stream, number, _, _ in taken:
            if number:
                self.got.append((device, stream, number))
                self.data.append(data)
        return len(taken)

    def expect(self, confirmed: Callable[[Iterable[Any]], None]) -> None:
        self._confirmed = confirmed

    def settle(self, ended: Callable[[], None]) -> bool:
        self.ended = ended if self._hooks else None
        return self._hooks

    def hurry(self) -> None:
        self.hurried()

    def confirm(self, number: int, device: str = "a", stream: str = STREAM) -> None:
        self._confirmed([(NAME, device, stream, number, 0)])


class Place:
    """A spool in the file at `path`, a device, and a network with `delivery: once`."""

    def __init__(self, path: Path, hub: Hub | None = None, quota: int = 10**9, policy: str = REFUSE):
        self.path = path
        self.hub = hub or Hub()
        self.spool = Spool(path, "full", lambda name: self.device)
        self.device = Device("a", Rights([], []), None, "", "", lambda: 0)
        self.mark = Mark()
        self.mark.stream = STREAM
        self.marks = self.spool.open()
        self.outlet = self.spool.add(self.hub, True, quota, policy)  # type: ignore[arg-type]
        self._running: asyncio.Task[None] | None = None

    def start(self) -> "Place":
        self.spool.start()
        return self

    def run(self) -> None:
        """Have time pass for it."""
        self._running = asyncio.create_task(self.spool.run())

    def come(self, *numbers: int, data: Any = None) -> None:
        """Events come."""
        for number in numbers:
            given = number if data is None else data
            self.outlet.take(self.device, NAME, given, Receipt(self.device, self.mark, number))

    async def take(self, *numbers: int) -> None:
        """Events come, each in a group of its own, and are acknowledged."""
        for number in numbers:
            self.come(number)
            await self.acknowledged(number)

    async def acknowledged(self, number: int) -> None:
        await until(lambda: self.mark.confirmed == number)

    async def idle(self) -> None:
        """Nothing is to be written, as far as the writer knows."""
        await asyncio.wait_for(self.spool._writer._idle.wait(), DEADLINE_S)

    async def stop(self) -> None:
        """End as a gateway whose hive is away, so that nothing is waited for."""
        self.hub.connected = False
        if self._running is not None:
            self._running.cancel()
        await self.spool.stop([self.device])

    def killed(self, path: Path, start: bool = True) -> "Place":
        """A successor that begins with the file as a kill at this moment leaves it."""
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.path}{suffix}", f"{path}{suffix}")
        place = Place(path)
        return place.start() if start else place

    def tables(self) -> tuple[int, int]:
        """How many events have rows of their own, and how many rows the journal has."""
        database = self.spool._store._db
        counted = (database.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in ("events", "journal"))
        return next(counted), next(counted)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0)


def in_loop(function: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """A test that is a coroutine."""

    @functools.wraps(function)
    def test(tmp_path: Path) -> None:
        asyncio.run(function(tmp_path))

    # Otherwise pytest would look for fixtures by the names of the coroutine's arguments.
    del test.__wrapped__  # type: ignore[attr-defined]
    return test
