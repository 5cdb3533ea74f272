"""Lines that a stranger can cause: some of each minute, and how many more there were."""

import logging

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from eventhive.bounded_log import BoundedLog, PerMinute, is_told
from eventhive.servers.admission import Admission


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock, caplog: pytest.LogCaptureFixture) -> BoundedLog:
    caplog.set_level(logging.INFO, "eventhive.test")
    return BoundedLog(logging.getLogger("eventhive.test"), "knocks", 3, clock)


def knock(log: BoundedLog, count: int, level: int = logging.INFO) -> None:
    for number in range(count):
        log(level, "knock %d", number)


def test_few_are_logged_as_they_are(log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for minute in range(5):
        clock.now = 1000.0 + 60 * minute
        knock(log, 3)
    assert caplog.messages == ["knock 0", "knock 1", "knock 2"] * 5


def test_many_are_counted(log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    knock(log, 1000)
    clock.now += 59.9
    log.tick()
    assert len(caplog.messages) == 3
    clock.now += 0.1
    log.tick()
    log.tick()
    assert caplog.messages[3:] == ["997 more knocks within a minute"]
    knock(log, 1)
    assert caplog.messages[4:] == ["knock 0"]


def test_the_next_line_tells_of_the_minute_before(
    log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    knock(log, 4)
    clock.now += 3600
    knock(log, 1)
    assert caplog.messages[3:] == ["1 more knocks within a minute", "knock 0"]


def test_an_hour_of_flood(log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3600):
        clock.now += 1
        knock(log, 10)
    assert len(caplog.messages) <= 61 * 4
    logged = len([line for line in caplog.messages if line.startswith("knock ")])
    told = sum(int(line.split()[0]) for line in caplog.messages if " more " in line)
    # What is not told yet is that of the last minute.
    assert 36_000 - 610 <= logged + told <= 36_000


def test_the_worst_level_counts(log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for level in (logging.INFO, logging.WARNING, logging.INFO):
        knock(log, 2, level)
    clock.now += 60
    knock(log, 5)
    clock.now += 60
    log.tick()
    levels = [record.levelno for record in caplog.records if " more " in record.getMessage()]
    assert levels == [logging.WARNING, logging.INFO]


def test_what_is_not_logged_is_not_counted(
    log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "eventhive.test")
    knock(log, 100)
    knock(log, 1, logging.WARNING)
    clock.now += 60
    log.tick()
    assert caplog.messages == ["knock 0"]


def test_a_clock_that_is_set_back(log: BoundedLog, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    knock(log, 5)
    clock.now -= 86400
    knock(log, 1)
    assert caplog.messages[3:] == ["2 more knocks within a minute", "knock 0"]


def test_one_a_minute(clock: Clock) -> None:
    room = PerMinute(clock)
    told = []
    for second in range(180):
        clock.now = 1000.0 + second
        told.append(room())
    assert [second for second, once in enumerate(told) if once] == [0, 60, 120]


def test_what_had_no_room_is_told_once(clock: Clock) -> None:
    room = PerMinute(clock, 2)
    assert [room() for _ in range(5)] == [True, True, False, False, False]
    assert room.over() == 0
    clock.now += 60
    assert (room.over(), room.over()) == (3, 0)
    # The minute begins with the next line, not with the look.
    clock.now += 59
    assert room() and room() and not room()


def test_a_flood_of_clients_without_a_token(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    door = Admission("net", ["secret"], clock)
    for number in range(1000):
        assert door.check(Request("/pubsub", Headers()), f"10.0.0.1:{number}") is not None
    clock.now += 60
    door.check(Request("/pubsub", Headers()), "10.0.0.1:1000")
    assert caplog.messages[29].startswith("net: 10.0.0.1:29 is refused: this hive asks for a token")
    assert caplog.messages[30] == "970 more clients of net refused within a minute"
    assert caplog.messages[31:] == [caplog.messages[29].replace(":29 ", ":1000 ")]


def test_what_comes_again_and_again() -> None:
    assert [count for count in range(20_001) if is_told(count)] == [1, 10, 100, 1000, 10_000]
