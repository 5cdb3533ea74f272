"""What comes at the same time in a spool: sequences of which each has lost, doubled or miscounted something once."""

import asyncio
import datetime
import threading
from pathlib import Path
from typing import Any

import pytest
from spooled import NAME, STREAM, Hub, Place, in_loop, until

from eventhive.core.mark import Mark
from eventhive.gateway import gathering
from eventhive.gateway.device import Receipt
from eventhive.gateway.lane import WINDOW
from eventhive.gateway.outlet import COLLECTED
from eventhive.gateway.quota import OLDEST, REFUSE


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group goes on as long as this machine takes, and hooks are through when the test says so."""
    monkeypatch.setattr(gathering, "GATHER_S", 60.0)
    monkeypatch.setattr(gathering, "HOOKS_S", 60.0)


def slow_disk(place: Place) -> None:
    """All of it is the thread's, and hooks are waited for."""
    place.spool._writer._pace.quick = lambda now: False  # type: ignore[method-assign]


class Entered(threading.Event):
    """Set when the disk is held up, until `goes_on` is."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()


def hold(place: Place, which: int) -> Entered:
    """Hold up the disk from the writer's next job on, or from that of this number."""
    entered, work, left = Entered(), place.spool._writer._work, [which]

    def held_up(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] <= 0:
            entered.set()
            assert entered.goes_on.wait(10)
        return work(*arguments)

    place.spool._writer._work = held_up  # type: ignore[method-assign]
    return entered


async def iterations(count: int) -> None:
    """Some of the loop, in which something must not happen."""
    for _ in range(count):
        await asyncio.sleep(0)


@in_loop
async def test_what_is_heard_while_a_job_is_made_begins_no_second_one(folder: Path) -> None:
    place = Place(folder / "spool").start()
    writer = place.spool._writer
    await place.take(1)
    # More than a lane has in memory, so that it reads when it hears of the first ones.
    place.come(*range(2, 3 * WINDOW))
    await place.acknowledged(3 * WINDOW - 1)
    await place.idle()
    entered = hold(place, 1)
    place.hub.hurried = lambda: place.hub.confirm(WINDOW)
    place.come(3 * WINDOW)
    await until(entered.is_set)
    place.hub.hurried = lambda: None
    await iterations(5)
    # The thread is at work with what it reads: this one must not be committed beside it.
    place.come(3 * WINDOW + 1)
    await iterations(5)
    assert not writer._idle.is_set()
    entered.goes_on.set()
    await place.acknowledged(3 * WINDOW + 1)
    again = place.killed(folder / "again")
    assert again.marks == {"a": [(STREAM, 3 * WINDOW + 1)]}
    assert again.outlet.events == 2 * WINDOW + 1
    for one in (place, again):
        await one.stop()


@in_loop
async def test_a_hook_that_changes_its_data_changes_nothing_on_disk(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1)
    place.come(2, data={"n": 2})
    await place.acknowledged(2)
    # No JSON any more.
    place.hub.data[-1]["at"] = datetime.datetime(2026, 1, 1)
    place.run()
    await until(lambda: place.tables() == (2, 0))
    await place.take(3)
    assert [found[3] for found in place.spool._store.read(1, 0, 10)] == ["1", '{"n":2}']
    await place.stop()


@in_loop
async def test_what_a_carrier_has_no_room_for_keeps_its_place(folder: Path) -> None:
    place = Place(folder / "spool").start()
    place.hub.room = 0
    place.run()
    count = 2 * COLLECTED
    place.come(*range(1, count + 1))
    await place.acknowledged(count)
    # So that it is ready, and takes a part of what is passed on together.
    place.hub.room = COLLECTED // 2
    await until(lambda: place.hub.room == 0)
    lane = place.outlet.lanes["a"]
    await until(lambda: len(lane.flying) == COLLECTED // 2)
    assert len(lane.queue) == count - COLLECTED // 2
    place.hub.room = 10**9
    await until(lambda: place.hub.numbers == [*range(1, count + 1)])
    await place.stop()


@in_loop
async def test_what_happens_between_open_and_start_waits_for_the_start(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1, 2, 3)
    again = place.killed(folder / "again", start=False)
    # Keys are read again meanwhile.
    again.spool.forget("b")
    await iterations(5)
    again.start()
    assert again.outlet.events == 3
    again.run()
    await until(lambda: again.tables() == (3, 0))
    for one in (place, again):
        await one.stop()


@in_loop
async def test_a_lane_reads_what_came_while_hooks_ran(folder: Path) -> None:
    place = Place(folder / "spool", Hub(hooks=True)).start()
    slow_disk(place)
    place.come(*range(1, 2 * WINDOW + 2))
    await until(lambda: place.hub.ended is not None)
    ended, place.hub.ended = place.hub.ended, None
    # The hooks have had a part of it, so that the lane wants to read; and more comes before they are through.
    place.hub.confirm(WINDOW)
    place.come(*range(2 * WINDOW + 2, 2 * WINDOW + 12))
    assert ended is not None
    ended()
    last = 2 * WINDOW + 11

    def all_there() -> bool:
        if place.hub.ended is not None:
            place.hub.ended()
        if place.hub.got:
            place.hub.confirm(place.hub.numbers[-1])
        return place.hub.numbers == [*range(1, last + 1)]

    await until(all_there)
    await place.acknowledged(last)
    assert place.outlet.lanes["a"].idle
    await place.stop()


@in_loop
async def test_a_reload_while_hooks_run_loses_nothing(folder: Path) -> None:
    place = Place(folder / "spool", Hub(hooks=True)).start()
    slow_disk(place)
    place.come(1)
    await until(lambda: place.hub.ended is not None)
    place.come(2, 3)
    place.outlet.retire()
    place.outlet.resume(place.hub, True, 10**9, REFUSE)  # type: ignore[arg-type]
    place.run()
    place.hub.got.clear()

    def all_there() -> bool:
        if place.hub.ended is not None:
            place.hub.ended()
        return place.hub.numbers == [1, 2, 3]

    await until(all_there)
    await place.stop()


@in_loop
async def test_what_is_confirmed_is_not_dropped_once_more(folder: Path) -> None:
    place = Place(folder / "spool", quota=30_000, policy=OLDEST).start()
    await place.take(*range(1, 20))
    place.hub.confirm(10)
    # The rows of these are still there, and now there is no room.
    place.outlet.quota.limit = place.outlet.quota.used
    await place.take(20)
    assert (place.outlet.events, place.outlet.quota.dropped, place.tables()[0]) == (1, 9, 1)
    assert place.outlet.quota.used == len(NAME) + len("20") + 48
    await place.stop()


@in_loop
async def test_a_mark_does_not_go_back(folder: Path) -> None:
    place = Place(folder / "spool").start()
    away = Hub("other")
    outlet = place.spool.add(away, False, 10**9, REFUSE)  # type: ignore[arg-type]
    await place.take(1)
    outlet.take(place.device, "other/queen/t", 2, Receipt(place.device, place.mark, 2))
    place.come(3, 4, 5)
    await place.idle()
    await until(lambda: place.tables()[1] > 0)
    assert place.mark.confirmed == 1
    away.connected = False
    outlet.tick()
    await place.acknowledged(5)
    again = place.killed(folder / "again")
    assert again.marks == {"a": [(STREAM, 5)]}
    for one in (place, again):
        await one.stop()


@in_loop
async def test_a_device_that_begins_a_stream_with_each_event(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1)
    place.hub.confirm(1)
    place.run()
    await until(lambda: place.tables() == (0, 0))
    for stream in ("b" * 16, "c" * 16):
        mark = Mark()
        mark.stream = stream
        place.outlet.take(place.device, NAME, 1, Receipt(place.device, mark, 1))
    await until(lambda: place.tables() == (2, 0))
    place.outlet.retire()
    place.hub.got.clear()
    place.outlet.resume(place.hub, True, 10**9, REFUSE)  # type: ignore[arg-type]

    def all_there() -> bool:
        for _, stream, number in place.hub.got:
            place.hub.confirm(number, stream=stream)
        return place.hub.got == [("a", "b" * 16, 1), ("a", "c" * 16, 1)] and not place.outlet.events

    await until(all_there)
    await place.stop()


@in_loop
async def test_a_mark_covers_nothing_that_waits_for_the_next_transaction(folder: Path) -> None:
    place = Place(folder / "spool", Hub(hooks=True)).start()
    slow_disk(place)
    away = Hub("other")
    outlet = place.spool.add(away, False, 10**9, REFUSE)  # type: ignore[arg-type]
    outlet.take(place.device, "other/queen/t", 1, Receipt(place.device, place.mark, 1))
    place.come(2)
    await until(lambda: place.hub.ended is not None)
    # While hooks run for the second one, the first goes to disk, too.
    away.connected = False
    outlet.tick()
    entered = hold(place, 2)
    assert place.hub.ended is not None
    place.hub.ended()
    await until(entered.is_set)
    again = place.killed(folder / "again")
    assert again.marks == {"a": [(STREAM, 0)]}
    entered.goes_on.set()
    await place.acknowledged(2)
    third = place.killed(folder / "third")
    assert third.marks == {"a": [(STREAM, 2)]}
    for one in (place, again, third):
        await one.stop()


@in_loop
async def test_what_is_confirmed_while_the_thread_trims_is_not_dropped(folder: Path) -> None:
    place = Place(folder / "spool", quota=30_000, policy=OLDEST).start()
    slow_disk(place)
    await place.take(*range(1, 20))
    await place.idle()
    entered = hold(place, 1)
    place.outlet.quota.limit = place.outlet.quota.used
    place.come(20)
    await until(entered.is_set)
    place.hub.confirm(10)
    entered.goes_on.set()
    await place.acknowledged(20)
    await place.idle()
    assert (place.outlet.events, place.outlet.quota.dropped, place.tables()[0]) == (1, 9, 1)
    await place.stop()


@in_loop
async def test_the_last_marks_do_not_go_back(folder: Path) -> None:
    place = Place(folder / "spool").start()
    place.device.marks = [place.mark]  # type: ignore[assignment]
    await place.take(1)
    # Its rate is used up: what is on disk is not acknowledged yet.
    place.device.allowance = -1.0
    place.come(2, 3)
    await until(lambda: place.tables()[1] == 1)
    place.hub.confirm(3)
    place.come(4)
    await place.stop()
    again = Place(folder / "spool").start()
    assert again.marks == {"a": [(STREAM, 4)]}
    await again.stop()


@in_loop
async def test_what_was_on_disk_and_is_sent_again_is_counted_once(folder: Path) -> None:
    place = Place(folder / "spool").start()
    outlet = place.spool.add(Hub("other"), False, 10**9, REFUSE)  # type: ignore[arg-type]
    await place.take(1)
    # The second one is on its way elsewhere, so that nobody acknowledges the next ones before a kill.
    outlet.take(place.device, "other/queen/t", 2, Receipt(place.device, place.mark, 2))
    place.come(3, 4, 5)
    await place.idle()
    again = place.killed(folder / "again")
    assert (again.marks, again.outlet.events) == ({"a": [(STREAM, 1)]}, 4)
    again.run()
    again.come(3, 4, 5)
    await again.acknowledged(5)
    await until(lambda: again.hub.numbers == [1, 3, 4, 5])
    again.hub.confirm(5)
    await until(lambda: again.tables()[0] == 0)
    assert (again.outlet.events, again.outlet.quota.used) == (0, 0)
    for one in (place, again):
        await one.stop()


@in_loop
async def test_streams_that_wait_for_room_stay_known(folder: Path) -> None:
    place = Place(folder / "spool", quota=1).start()
    place.outlet.quota.used = 1
    mark = Mark()
    mark.stream = "b" * 16
    place.come(1)
    place.outlet.take(place.device, NAME, 1, Receipt(place.device, mark, 1))
    assert len(place.outlet.quota.refused) == 2
    place.outlet.retire()
    await until(lambda: mark.confirmed == place.mark.confirmed == 1)
    place.outlet.quota.used -= 1
    place.outlet.resume(place.hub, True, 10**9, REFUSE)  # type: ignore[arg-type]
    place.run()

    def all_there() -> bool:
        for _, stream, number in place.hub.got:
            place.hub.confirm(number, stream=stream)
        return {stream for _, stream, _ in place.hub.got} == {STREAM, "b" * 16} and not place.outlet.events

    await until(all_there)
    await place.stop()


@in_loop
async def test_what_is_sent_again_is_what_the_device_sent(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1)
    place.hub.confirm(1)
    place.come(2, data={"n": 2})
    await place.acknowledged(2)
    # A hook here, which is slow.
    place.hub.data[-1]["n"] = "changed"
    place.run()
    await until(lambda: place.hub.numbers.count(2) == 2)
    assert place.hub.data[-1] == {"n": 2}
    await place.stop()


@in_loop
async def test_a_network_that_fails_does_not_stop_the_writer(folder: Path) -> None:
    place = Place(folder / "spool").start()
    await place.take(1)

    def fails() -> None:
        raise ValueError("a fault of this program")

    place.hub.hurried = fails
    await place.take(2, 3)
    assert place.tables() == (1, 2)
    await place.stop()
