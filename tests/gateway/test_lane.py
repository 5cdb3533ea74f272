"""The events of one device for one network: no I/O, the clock is a number."""

from typing import Any

import pytest

from eventhive.core.errors import LimitError
from eventhive.gateway.lane import AGAIN_S, FIRST_RETRY_S, WINDOW, Entry, Lane, Stream

A, B = "my-hive/queen/a", "my-hive/queen/b"


class Way:
    """The network of a lane: `sent` are (number, before) that were published, `forgotten` those that were confirmed."""

    name = "my-hive"

    def __init__(self, once: bool = True):
        self.once = once
        self.unheard: set[str] = set()
        self.ready = True
        self.full = False
        self.at_once = False
        self.sent: list[tuple[int, int]] = []
        self.forgotten: list[int] = []
        self.reads = 0
        self.time = 100.0
        self.carried: Any = None

    def now(self) -> float:
        return self.time

    def may_publish(self, lane: Lane) -> bool:
        return self.ready

    def publish(self, entry: Entry, before: int, carried: Any = None) -> bool:
        if self.full:
            raise LimitError("full")
        self.sent.append((entry.number, before))
        self.carried = carried
        return self.at_once

    def read(self, lane: Lane) -> None:
        self.reads += 1

    def forget(self, entry: Entry) -> None:
        self.forgotten.append(entry.number)

    def put(self, stream: Stream) -> None:
        raise AssertionError

    def written(self, entry: Entry, size: int) -> None:
        raise AssertionError

    def erased(self, stream: Stream, size: int) -> None:
        raise AssertionError


class Bench:
    """A lane with one stream."""

    def __init__(self, once: bool = True):
        self.way = Way(once)
        self.lane = Lane(self.way, "sensor-1")
        self.stream = self.lane.streams["s"] = Stream(1, "s")
        self.number = 0
        self.disk: list[Entry] = []

    def add(self, *topics: str) -> None:
        for topic in topics:
            self.number += 1
            entry = Entry(self.lane, self.stream, self.number, topic, None)
            self.disk.append(entry)
            self.lane.add(entry)

    def take(self, topic: str, number: int, again: bool = False) -> None:
        self.lane.taken(topic, "s", number, again)

    def read(self) -> None:
        """Do what was asked for with `read`."""
        cursor, self.stream.unread = self.stream.cursor, False
        found = [one for one in self.disk if one.number > cursor and not one.gone][:WINDOW]
        self.lane.found(self.stream, found, len(found) == WINDOW, self.lane.epoch)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_events_of_one_name_follow_each_other(bench: Bench) -> None:
    bench.add(A, A, A)
    assert bench.way.sent == [(1, 0), (2, 1), (3, 2)]
    bench.take(A, 2)
    assert bench.way.forgotten == [1, 2]
    bench.add(A)
    assert bench.way.sent[-1] == (4, 3)


def test_another_name_waits_for_what_is_before_it(bench: Bench) -> None:
    bench.add(A, B, B, A)
    assert bench.way.sent == [(1, 0)]
    bench.take(A, 1)
    assert bench.way.sent[1:] == [(2, 0), (3, 2)]
    bench.take(B, 3)
    assert bench.way.sent[3:] == [(4, 0)]


def test_a_confirmation_of_something_else_changes_nothing(bench: Bench) -> None:
    bench.add(A, B)
    bench.take(B, 2)
    bench.lane.taken(A, "other", 1, False)
    bench.take(A, 0)
    assert (bench.way.forgotten, bench.way.sent) == ([], [(1, 0)])


def test_what_is_missing_is_sent_again_but_not_for_each_complaint(bench: Bench) -> None:
    bench.add(A, A, A)
    bench.way.time += 1
    bench.take(A, 1, again=True)
    bench.take(A, 1, again=True)
    assert bench.way.sent[3:] == [(2, 0), (3, 2)]
    bench.way.time += 2 * AGAIN_S
    bench.take(A, 1, again=True)
    assert bench.way.sent[5:] == [(2, 0), (3, 2)]


def test_nothing_heard_sends_the_first_again_and_what_follows_when_that_helps(bench: Bench) -> None:
    bench.add(A, A, A)
    bench.lane.retry()
    assert len(bench.way.sent) == 3
    bench.way.time += FIRST_RETRY_S + 0.1
    bench.lane.retry()
    bench.lane.retry()
    assert bench.way.sent[3:] == [(1, 0)]
    bench.take(A, 1)
    assert bench.way.sent[4:] == [(2, 0), (3, 2)]


def test_it_is_stalled_only_where_the_carrier_works(bench: Bench) -> None:
    bench.add(A)
    bench.way.time += 60
    assert bench.lane.stalled_s == 0
    bench.lane.retry()
    bench.way.carried()
    assert bench.lane.stalled_s == 60


def test_a_name_that_nobody_hooks_lets_others_pass_and_comes_back_in_order(bench: Bench) -> None:
    bench.add(A, B, A)
    bench.way.unheard.add(A)
    bench.lane.put_aside(A)
    assert bench.way.sent == [(1, 0), (2, 0)]
    bench.take(B, 2)
    bench.add(B, A)
    assert bench.way.sent[2:] == [(4, 0)]
    bench.take(B, 4)
    bench.way.unheard.clear()
    bench.lane.bring_back(A)
    bench.read()
    assert bench.way.sent[3:] == [(1, 0), (3, 1), (5, 3)]


def test_more_than_its_window_stays_on_disk_and_is_fetched_in_order(bench: Bench) -> None:
    bench.add(*[A] * (3 * WINDOW))
    assert [number for number, _ in bench.way.sent] == list(range(1, WINDOW + 1))
    assert len(bench.lane.queue) == WINDOW
    assert bench.lane.behind
    for number in range(1, 3 * WINDOW + 1):
        bench.take(A, number)
        if bench.way.reads:
            bench.way.reads = 0
            bench.read()
    assert [number for number, _ in bench.way.sent] == list(range(1, 3 * WINDOW + 1))
    assert bench.way.forgotten == list(range(1, 3 * WINDOW + 1))


def test_what_was_asked_for_before_it_began_anew_is_not_taken(bench: Bench) -> None:
    bench.way.ready = False
    bench.add(*[A] * (WINDOW + 5))
    bench.lane.aside |= {B}
    epoch = bench.lane.epoch
    bench.lane.bring_back(B)
    late = Entry(bench.lane, bench.stream, WINDOW + 1, A, None)
    bench.lane.found(bench.stream, [late], False, epoch)
    assert not bench.lane.queue
    bench.read()
    assert [entry.number for entry in bench.lane.queue] == list(range(1, WINDOW + 1))


def test_a_carrier_that_takes_no_more(bench: Bench) -> None:
    bench.way.full = True
    bench.add(A, A)
    assert (bench.way.sent, len(bench.lane.queue), len(bench.lane.flying)) == ([], 2, 0)
    bench.way.full = False
    bench.lane.pump()
    assert bench.way.sent == [(1, 0), (2, 1)]


def test_without_once_the_carrier_confirms_each(bench: Bench) -> None:
    bench = Bench(once=False)
    bench.add(A, B, A)
    assert bench.way.sent == [(1, 0), (2, 0), (3, 0)]
    flying = list(bench.lane.flying)
    flying[1]()
    assert bench.way.forgotten == []
    flying[0]()
    assert bench.way.forgotten == [1, 2]
    bench.way.at_once = True
    flying[2]()
    bench.add(A)
    assert (bench.way.forgotten, bench.lane.idle) == ([1, 2, 3, 4], True)


def test_rows_that_made_room_are_not_sent(bench: Bench) -> None:
    bench.add(A, B, B)
    for entry in (*bench.lane.flying, *bench.lane.queue):
        entry.id = entry.number
    bench.lane.drop({1, 2})
    bench.lane.pump()
    assert bench.way.sent == [(1, 0), (3, 0)]


def test_who_was_started_anew_is_sent_the_first_at_once_and_what_follows_when_that_helps(bench: Bench) -> None:
    bench.add(A, A, B)
    assert not bench.lane.hooked(B)
    assert bench.lane.hooked(A)
    assert bench.way.sent[2:] == [(1, 0)]
    bench.take(A, 1)
    assert bench.way.sent[3:] == [(2, 0)]
    assert (bench.lane.silent_s, Bench().lane.silent_s, Bench().lane.hooked(A)) == (0, 0, False)
