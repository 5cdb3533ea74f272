"""Which events with an identity hooks are given, and what is confirmed: no I/O."""

from collections.abc import Callable
from typing import Any

import pytest

from eventhive.once import MAX_ANSWERS, Answer, Receiver, answers_of, identity_of

INBOX = "my-hive/_inbox-000102030405060708090a0b0c0d0e0f/reply"
A = "my-hive/queen/a"


class Process:
    """A receiver, its hooks that have not ended, and what it answered."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.given: list[int] = []
        self.under_way: list[Callable[[], None]] = []
        self.due: list[Callable[[], None]] = []
        self.receiver = Receiver(
            lambda inbox, answers: self.answers.extend(answers),
            lambda inbox, answers: self.answers.extend(answers),
            lambda seconds, call: self.due.append(call),
            lambda call: self.due.append(call),
        )

    def get(self, number: int, before: int, stream: str = "s", topic: str = A, behind: bool = False) -> None:
        arrival = self.receiver.take(topic, None, (INBOX, "sensor-1", stream, number, before), behind)
        if arrival is not None:
            self.given.append(number)
            self.under_way.append(arrival.ended)

    def end(self) -> None:
        """All hooks end, and what is due happens."""
        for ended in self.under_way:
            ended()
        due, self.due = [*self.due], []
        for call in due:
            call()
        self.under_way.clear()


@pytest.fixture
def process() -> Process:
    return Process()


def test_in_order_and_confirmed_when_hooks_have_ended(process: Process) -> None:
    process.get(1, 0)
    process.get(2, 1)
    assert (process.given, process.answers) == ([1, 2], [])
    process.end()
    assert process.answers == [(A, "sensor-1", "s", 2, 0)]


def test_what_has_ended_is_told_when_asked_for_and_once(process: Process) -> None:
    process.get(1, 0)
    process.get(2, 1)
    assert process.receiver.given
    process.under_way.pop(0)()
    process.receiver.tell()
    assert process.answers == [(A, "sensor-1", "s", 1, 0)]
    process.end()
    assert process.answers[1:] == [(A, "sensor-1", "s", 2, 0)]


def test_once(process: Process) -> None:
    process.get(1, 0)
    process.get(1, 0)
    assert process.answers == [(A, "sensor-1", "s", 0, 0)]
    process.end()
    process.get(1, 0)
    assert process.given == [1]
    assert process.answers[1:] == [(A, "sensor-1", "s", 1, 0)] * 2
    assert process.receiver.repeated == 2


def test_none_in_front_of_one_that_is_still_to_come(process: Process) -> None:
    process.get(3, 2)
    assert (process.given, process.answers) == ([], [(A, "sensor-1", "s", 0, 1)])
    process.get(2, 0)
    process.get(3, 2)
    assert process.given == [2, 3]
    process.get(7, 6)
    assert process.answers[-1] == (A, "sensor-1", "s", 0, 1)


def test_what_others_have_confirmed_is_passed_over(process: Process) -> None:
    process.get(1, 0)
    process.get(9, 0)
    assert process.given == [1, 9]


def test_names_and_streams_stand_for_themselves(process: Process) -> None:
    process.get(1, 0)
    process.get(1, 0, stream="t")
    process.get(1, 0, topic="my-hive/queen/b")
    assert process.given == [1, 1, 1]
    process.end()
    assert len(process.answers) == 3


def test_who_is_behind_takes_none_and_says_that_it_is_there(process: Process) -> None:
    process.get(1, 0, behind=True)
    assert (process.given, process.answers) == ([], [(A, "sensor-1", "s", 0, 0)])
    process.get(1, 0)
    assert process.given == [1]


def test_a_question_whether_somebody_hooks_it(process: Process) -> None:
    process.get(0, 0)
    assert (process.given, process.answers) == ([], [(A, "sensor-1", "s", 0, 0)])


def test_many_confirmations_are_several_events() -> None:
    sent: list[int] = []
    due: list[Callable[[], None]] = []
    receiver = Receiver(
        lambda inbox, answers: None,
        lambda inbox, answers: sent.append(len(answers)),
        lambda seconds, call: due.append(call),
        due.append,
    )
    for number in range(MAX_ANSWERS + 1):
        arrival = receiver.take(A, None, (INBOX, f"sensor-{number}", "s", 1, 0), False)
        assert arrival
        arrival.ended()
    for call in due:
        call()
    assert sent == [MAX_ANSWERS, 1]


@pytest.mark.parametrize(
    "members",
    [
        None,
        [],
        [INBOX, "d", "s", 1],
        [INBOX, "d", "s", 1, 0, 0],
        [INBOX, "d", "s", True, 0],
        [INBOX, "d", "s", "1", 0],
        [INBOX, 1, "s", 1, 0],
        ["my-hive/queen/secret", "d", "s", 1, 0],
        ["other/_inbox-000102030405060708090a0b0c0d0e0f/reply", "d", "s", 1, 0],
    ],
)
def test_what_is_no_identity(members: Any) -> None:
    assert identity_of({"once": members}, "my-hive") is None


def test_an_identity_and_answers() -> None:
    assert identity_of({"once": [INBOX, "d", "s", 2, 1]}, "my-hive") == (INBOX, "d", "s", 2, 1)
    assert identity_of("text", "my-hive") is None
    assert list(answers_of([[A, "d", "s", 2, 0], [A, "d", "s", True, 0], "x", [1], [A, "d", "s", 3, 1, 0]])) == [
        (A, "d", "s", 2, 0)
    ]
    assert list(answers_of({"a": 1})) == []
