"""The journal of the spool: what it tells, what a start makes of it, and a real spool whose process is killed."""

import json
from pathlib import Path

import pytest
from spooled import NAME, STREAM, Place, in_loop, until

from eventhive.core.errors import LocalError
from eventhive.gateway.batch import Batch, size_of
from eventhive.gateway.journal import MAX_BYTES, MAX_EVENTS, Journal, dumps, replayed
from eventhive.gateway.lane import Entry, Lane, Stream
from eventhive.gateway.store import Store


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
        found[-1].text = dumps({"n": number})
    return found


def row(number: int) -> tuple[int, int, int, str, str]:
    return 10 * number, 1, number, NAME, dumps({"n": number})


def test_rows_come_of_what_has_not_ended() -> None:
    way, journal = Way(), Journal()
    first, second, third = entries(way, 1, 2, 3)
    journal.add(Batch(entries=[first, second], marks={7: 2}, gone=[5]), 100)
    assert journal.ended(first) and not journal.ended(third)
    assert journal.behind
    batch = Batch(entries=[third], marks={7: 3, 8: 1}, gone=[6])
    assert len(journal) == 3
    journal.merge(batch)
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
    journal.merge(batch)
    assert (batch.events, batch.marks, batch.gone) == ([row(2), row(3)], {7: 3, 8: 2}, [5, 6])
    assert not replayed([])


def test_a_mark_does_not_go_back() -> None:
    journal = Journal()
    journal.add(Batch(marks={7: 5}), 100)
    batch = Batch(marks={7: 3, 8: 1})
    journal.merge(batch)
    assert batch.marks == {7: 5, 8: 1}
    texts = [journal.text(Batch(marks={7: number})) for number in (5, 3)]
    assert replayed(texts).marks == {7: 5}


def test_a_number_that_was_used_before_is_the_later_event() -> None:
    first, again = entries(Way(), 1, 1)
    again.text = '"again"'
    journal = Journal()
    rows = [Batch(entries=[first]), Batch(ended=[first.id]), Batch(entries=[again])]
    assert [event[4] for event in replayed(map(journal.text, rows)).events] == ['"again"']


@pytest.mark.parametrize("value", [None, 1.5, 10**30, float("inf"), "\u20ac\ud800", [], {"a": [1, {"b": True}]}])
def test_json_is_as_the_library_makes_it(value: object) -> None:
    assert dumps(value) == json.dumps(value, separators=(",", ":"))


def test_what_is_no_json() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(RecursionError):
        dumps(circle)
    with pytest.raises(TypeError):
        dumps({"a": object()})
    assert dumps({"a": 1}) == '{"a":1}'


@pytest.mark.parametrize(("count", "size"), [(MAX_EVENTS, 1), (1, MAX_BYTES)])
def test_it_is_full(count: int, size: int) -> None:
    journal = Journal()
    journal.add(Batch(entries=entries(Way(), *range(1, count))), 1)
    assert not journal.full
    journal.add(Batch(entries=entries(Way(), count)), size)
    assert journal.full


@in_loop
async def test_what_was_acknowledged_is_there_after_a_kill(folder: Path) -> None:
    place = Place(folder / "spool").start()
    # The first one of a stream goes into the tables, together with its stream.
    await place.take(1, 2, 3, 4)
    place.hub.confirm(2)
    await place.take(5)
    assert place.tables() == (1, 4)
    again = place.killed(folder / "again")
    assert again.marks == {"a": [(STREAM, 5)]}
    assert (again.outlet.events, again.outlet.quota.used) == (3, 3 * size_of((0, 0, 0, NAME, "3")))
    again.run()
    await until(lambda: again.hub.numbers == [3, 4, 5])
    # A third one finds it in the tables.
    assert again.tables() == (3, 0)
    third = again.killed(folder / "third")
    assert (third.marks, third.outlet.events) == ({"a": [(STREAM, 5)]}, 3)
    again.hub.confirm(5)
    await until(lambda: again.tables() == (0, 0))
    assert (again.outlet.events, again.outlet.quota.used) == (0, 0)
    for one in (place, again, third):
        await one.stop()


@in_loop
async def test_the_next_tick_puts_it_into_the_tables(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1, 2, 3)
    assert place.tables() == (1, 2)
    place.run()
    await until(lambda: place.tables() == (3, 0))
    assert place.outlet.quota.used == 3 * size_of((0, 0, 0, NAME, "1"))
    await place.stop()
    assert Store(folder / "spool", "full").open() == ""


@in_loop
async def test_what_has_ended_never_gets_a_row(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1)
    place.hub.confirm(1)
    place.run()
    await until(lambda: place.tables() == (0, 0))
    await place.take(2)
    place.hub.confirm(2)
    # The event, and its end.
    await until(lambda: place.tables() == (0, 2))
    again = place.killed(folder / "again")
    assert (again.marks, again.outlet.events) == ({"a": [(STREAM, 2)]}, 0)
    assert place.spool.status()["my-hive"]["rows"] == 1
    for one in (place, again):
        await one.stop()


@in_loop
async def test_a_stop_leaves_nothing_in_it(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1, 2)
    await place.stop()
    store = Store(folder / "spool", "full")
    store.open()
    assert store.noted() == [] and [found[1] for found in store.read(1, 0, 10)] == [1, 2]


@in_loop
async def test_where_a_quota_may_be_used_up_each_event_has_its_row(folder: Path) -> None:
    place = Place(folder / "spool", quota=MAX_BYTES).start()
    await place.take(1, 2, 3)
    assert place.tables() == (3, 0)
    await place.stop()


@in_loop
async def test_what_is_for_a_network_that_is_away_has_its_rows(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1, 2)
    assert place.tables() == (1, 1)
    place.hub.connected = False
    await place.take(3)
    assert place.tables() == (3, 0)
    await place.stop()


@in_loop
async def test_a_full_disk_and_a_start_with_it(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1, 2)
    again = place.killed(folder / "again")
    database = again.spool._store._db
    database.execute("PRAGMA query_only = 1")
    again.mark.confirmed = again.mark.taken = 2
    again.run()
    again.come(3)
    await until(lambda: again.spool._writer.failures > 0)
    assert again.mark.confirmed == 2
    database.execute("PRAGMA query_only = 0")
    await again.acknowledged(3)
    await until(lambda: again.hub.numbers == [1, 2, 3])
    assert again.tables() == (3, 0)
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
