"""The journal of the spool: what it tells, what a start makes of it, and a real spool whose process is killed."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from eventhive.core.errors import LocalError
from eventhive.core.mark import Mark
from eventhive.gateway.batch import Batch, size_of
from eventhive.gateway.device import Device, Receipt
from eventhive.gateway.journal import MAX_BYTES, MAX_EVENTS, Journal, replayed
from eventhive.gateway.lane import Entry, Lane, Stream
from eventhive.gateway.quota import REFUSE
from eventhive.gateway.rights import Rights
from eventhive.gateway.spool import Spool
from eventhive.gateway.store import Store

NAME = "my-hive/queen/t"
STREAM = "a1a2a3a400000001"
DEADLINE_S = 10.0


class Way:
    """The network of entries: how many bytes of rows it was told of."""

    name, once = "my-hive", True

    def __init__(self) -> None:
        self.bytes = 0

    def written(self, entry: Entry, size: int) -> None:
        self.bytes += size


def entries(way: Way, *numbers: int) -> list[Entry]:
    lane, stream = Lane(way, "a"), Stream(1, STREAM)  # type: ignore[arg-type]
    found = []
    for number in numbers:
        found.append(Entry(lane, stream, number, NAME, {"n": number}))
        found[-1].id = 10 * number
    return found


def row(number: int) -> tuple[int, int, int, str, str]:
    return 10 * number, 1, number, NAME, json.dumps({"n": number}, separators=(",", ":"))


def test_rows_come_of_what_has_not_ended() -> None:
    way, journal = Way(), Journal()
    first, second, third = entries(way, 1, 2, 3)
    journal.add(Batch(entries=[first, second], marks={7: 2}, gone=[5]), 100)
    assert journal.ended(first) and not journal.ended(third)
    assert journal.behind
    batch = Batch(entries=[third], marks={7: 3, 8: 1}, gone=[6])
    assert len(journal) == 3
    journal.settle(batch)
    assert batch.events == [row(2), row(3)]
    assert (batch.marks, batch.gone, journal.rows) == ({7: 3, 8: 1}, [6, 5], 2)
    assert way.bytes == size_of(row(2)) + size_of(row(3))
    assert not journal and not len(journal)


def test_a_start_makes_the_same_of_what_is_on_disk() -> None:
    journal = Journal()
    first, second, third = entries(Way(), 1, 2, 3)
    texts = [
        journal.text(Batch(entries=[first, second], marks={7: 2}, gone=[5])),
        journal.text(Batch(entries=[third], marks={7: 3, 8: 1}, gone=[6], ended=[10])),
    ]
    found = replayed(texts)
    assert (found.events, found.marks, found.gone) == ([row(2), row(3)], {7: 3, 8: 1}, [5, 6])
    journal.inherit(found, sum(map(len, texts)))
    assert journal
    batch = Batch(marks={8: 2})
    journal.settle(batch)
    assert (batch.events, batch.marks, batch.gone) == ([row(2), row(3)], {7: 3, 8: 2}, [5, 6])
    assert not replayed([])


def test_a_number_that_was_used_before_is_the_later_event() -> None:
    first, again = entries(Way(), 1, 1)
    again.data = "again"
    journal = Journal()
    rows = [Batch(entries=[first]), Batch(ended=[first.id]), Batch(entries=[again])]
    assert [event[4] for event in replayed(map(journal.text, rows)).events] == ['"again"']


@pytest.mark.parametrize(("count", "size"), [(MAX_EVENTS, 1), (1, MAX_BYTES)])
def test_it_is_full(count: int, size: int) -> None:
    journal = Journal()
    journal.add(Batch(entries=entries(Way(), *range(1, count))), 1)
    assert not journal.full
    journal.add(Batch(entries=entries(Way(), count)), size)
    assert journal.full


class Hub:
    """The network of a spool in this process: notes what it is given, and confirms what it is told to."""

    name = "my-hive"
    connections = 1

    def __init__(self) -> None:
        self.ready = self.connected = True
        self.got: list[int] = []
        self.confirmed: Callable[[Iterable[Any]], None] = lambda answers: None

    def publish_once(self, events: Iterable[Any], carried: Any = None) -> None:
        self.got += [event[1] for event in events if event[4]]

    def expect(self, confirmed: Callable[[Iterable[Any]], None]) -> None:
        self.confirmed = confirmed

    def settle(self, ended: Callable[[], None]) -> bool:
        return False

    def hurry(self) -> None:
        pass

    def confirm(self, number: int) -> None:
        self.confirmed([(NAME, "a", STREAM, number, 0)])


class Place:
    """A spool on disk, a device and a network; `run` is what a gateway does."""

    def __init__(self, path: Path, quota: int = 10**9):
        self.path = path
        self.spool = Spool(path, "full", lambda name: self.device)
        self.device = Device("a", Rights([], []), None, "", "", lambda: 0)
        self.hub = Hub()
        self.marks = self.spool.open()
        self.outlet = self.spool.add(self.hub, True, quota, REFUSE)  # type: ignore[arg-type]
        self.spool.start()
        self.mark = Mark()
        self.mark.stream = STREAM

    async def take(self, *numbers: int) -> None:
        """Events come, each in a group of its own, and are acknowledged."""
        for number in numbers:
            receipt = Receipt(self.device, self.mark, number)
            self.outlet.take(self.device, NAME, number, receipt)
            await until(lambda wanted=number: self.mark.confirmed == wanted)  # type: ignore[misc]

    async def stop(self) -> None:
        """End as a gateway whose hive is away, so that nothing is waited for."""
        self.hub.connected = False
        await self.spool.stop([self.device])

    def copy(self, path: Path) -> Path:
        """The file as a kill at this moment leaves it."""
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.path}{suffix}", f"{path}{suffix}")
        return path

    def tables(self) -> tuple[int, int]:
        """How many events have rows of their own, and how many rows the journal has."""
        database = self.spool._store._db
        counted = (database.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in ("events", "journal"))
        return next(counted), next(counted)


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0)


def in_loop(function: Callable[[Path], Any]) -> Callable[[Path], None]:
    """A test that is a coroutine."""

    def test(tmp_path: Path) -> None:
        asyncio.run(function(tmp_path))

    return test


@in_loop
async def test_what_was_acknowledged_is_there_after_a_kill(folder: Path) -> None:
    place = Place(folder / "spool")
    # The first one of a stream goes into the tables, together with its stream.
    await place.take(1, 2, 3, 4)
    place.hub.confirm(2)
    await place.take(5)
    assert place.tables() == (1, 4)
    again = Place(place.copy(folder / "copy"))
    assert again.marks == {"a": [(STREAM, 5)]}
    assert (again.outlet.events, again.outlet.quota.used) == (3, sum(size_of((0, 0, 0, NAME, "3")) for _ in range(3)))
    running = asyncio.create_task(again.spool.run())
    await until(lambda: again.hub.got == [3, 4, 5])
    # A third one finds it in the tables.
    assert again.tables() == (3, 0)
    third = Place(again.copy(folder / "third"))
    assert (third.marks, third.outlet.events) == ({"a": [(STREAM, 5)]}, 3)
    again.hub.confirm(5)
    await until(lambda: again.tables() == (0, 0))
    assert (again.outlet.events, again.outlet.quota.used) == (0, 0)
    running.cancel()
    for one in (place, again, third):
        await one.stop()


@in_loop
async def test_the_next_tick_puts_it_into_the_tables(folder: Path) -> None:
    place = Place(folder / "spool")
    await place.take(1, 2, 3)
    assert place.tables() == (1, 2)
    running = asyncio.create_task(place.spool.run())
    await until(lambda: place.tables() == (3, 0))
    assert place.outlet.quota.used == sum(size_of((0, 0, 0, NAME, "1")) for _ in range(3))
    running.cancel()
    await place.stop()
    assert Store(folder / "spool", "full").open() == ""


@in_loop
async def test_what_has_ended_never_gets_a_row(folder: Path) -> None:
    place = Place(folder / "spool")
    await place.take(1)
    place.hub.confirm(1)
    running = asyncio.create_task(place.spool.run())
    await until(lambda: place.tables() == (0, 0))
    await place.take(2)
    place.hub.confirm(2)
    # The event, and its end.
    await until(lambda: place.tables() == (0, 2))
    running.cancel()
    again = Place(place.copy(folder / "copy"))
    assert (again.marks, again.outlet.events) == ({"a": [(STREAM, 2)]}, 0)
    assert place.spool.status()["my-hive"]["rows"] == 1
    for one in (place, again):
        await one.stop()


@in_loop
async def test_a_stop_leaves_nothing_in_it(folder: Path) -> None:
    place = Place(folder / "spool")
    await place.take(1, 2)
    await place.stop()
    store = Store(folder / "spool", "full")
    store.open()
    assert store.noted() == [] and [found[1] for found in store.read(1, 0, 10)] == [1, 2]


@in_loop
async def test_where_a_quota_may_be_used_up_each_event_has_its_row(folder: Path) -> None:
    place = Place(folder / "spool", quota=MAX_BYTES)
    await place.take(1, 2, 3)
    assert place.tables() == (3, 0)
    await place.stop()


@in_loop
async def test_what_is_for_a_network_that_is_away_has_its_rows(folder: Path) -> None:
    place = Place(folder / "spool")
    await place.take(1, 2)
    assert place.tables() == (1, 1)
    place.hub.connected = place.hub.ready = False
    await place.take(3)
    assert place.tables() == (3, 0)
    await place.stop()


@in_loop
async def test_a_full_disk_and_a_start_with_it(folder: Path) -> None:
    place = Place(folder / "spool")
    await place.take(1, 2)
    again = Place(place.copy(folder / "copy"))
    database = again.spool._store._db
    database.execute("PRAGMA query_only = 1")
    again.mark.confirmed = again.mark.taken = 2
    running = asyncio.create_task(again.spool.run())
    receipt = Receipt(again.device, again.mark, 3)
    again.outlet.take(again.device, NAME, 3, receipt)
    await until(lambda: again.spool._writer.failures > 0)
    assert again.mark.confirmed == 2
    database.execute("PRAGMA query_only = 0")
    await until(lambda: again.mark.confirmed == 3)
    await until(lambda: again.hub.got == [1, 2, 3])
    assert again.tables() == (3, 0)
    running.cancel()
    for one in (place, again):
        await one.stop()


def test_a_disk_that_does_not_take_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "spool", "full")
    store.open()
    store.note("[]")
    store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(LocalError, match=r"spool .*: attempt to write a readonly database"):
        store.note("[]")
    assert store.noted() == ["[]"]
