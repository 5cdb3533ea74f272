"""The verdict over a history: what is lost, doubled, reordered."""

import random

import pytest

from eventhive.cli.chaos.history import judge
from eventhive.cli.chaos.schedule import KINDS, schedule


def run(*numbers: int) -> list[tuple[str, int]]:
    return [("a", number) for number in numbers]


def test_a_promise_that_was_kept() -> None:
    verdict = judge({"a": {1, 2}, "b": set()}, [("a", 1), ("b", 7), ("a", 2), ("a", 3)])
    assert (verdict.kept, verdict.acknowledged, verdict.delivered, verdict.faults) == (True, 2, 4, [])


@pytest.mark.parametrize(
    ("numbers", "lost", "duplicated", "reordered", "first"),
    [
        ((1, 3), 1, 0, 0, "a: 2 was acknowledged and never came; the hook was given ... 1 3 ..."),
        ((1, 2, 2, 3), 0, 1, 0, "a: 2 came twice; the hook was given ... 1 2 2 3 ..."),
        ((1, 2, 3, 1), 0, 1, 0, "a: 1 came twice; the hook was given ... 1 2 3 1 ..."),
        ((1, 3, 2), 0, 0, 1, "a: 2 came after 3; the hook was given ... 1 3 2 ..."),
        ((), 3, 0, 0, "a: 1 was acknowledged and never came; the hook was given ...  ..."),
    ],
)
def test_a_broken_one(numbers: tuple[int, ...], lost: int, duplicated: int, reordered: int, first: str) -> None:
    verdict = judge({"a": {1, 2, 3}}, run(*numbers))
    assert (verdict.lost, verdict.duplicated, verdict.reordered) == (lost, duplicated, reordered)
    assert verdict.faults[0] == first
    assert not verdict.kept


def test_any_change_of_a_history_is_found() -> None:
    source = random.Random(7)
    whole = list(range(1, 60))
    for _ in range(500):
        changed = list(whole)
        at = source.randrange(len(whole) - 1)
        how = source.choice(("drop", "double", "swap"))
        if how == "drop":
            del changed[at]
        elif how == "double":
            changed.insert(source.randrange(at, len(whole)) + 1, changed[at])
        else:
            changed[at], changed[at + 1] = changed[at + 1], changed[at]
        verdict = judge({"a": set(whole)}, run(*changed))
        assert (verdict.lost, verdict.duplicated, verdict.reordered) == {
            "drop": (1, 0, 0),
            "double": (0, 1, 0),
            "swap": (0, 0, 1),
        }[how]


def test_a_seed_gives_the_same_faults_and_each_kind_its_turn() -> None:
    first, again = schedule(3), schedule(3)
    faults = [next(first) for _ in range(2 * len(KINDS))]
    assert faults == [next(again) for _ in range(2 * len(KINDS))]
    assert {fault.kind for fault in faults[: len(KINDS)]} == set(KINDS)
