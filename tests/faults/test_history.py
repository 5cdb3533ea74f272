"""The verdict over a history: what is lost, doubled, reordered, and what may come again after a kill."""

import random
from collections.abc import Sequence

import pytest

from eventhive.cli.chaos.history import GATEWAY_WINDOW, NUMBERS, SHOWN, Given, Line, Mark, Verdict, judge
from eventhive.cli.chaos.schedule import KINDS, schedule

KILL, GATEWAY = Mark.HOOK_KILLED, Mark.GATEWAY_KILLED


def run(*numbers: int) -> list[Line]:
    return [Given("x", "a", number) for number in numbers]


def history(*lines: "int | str | Mark") -> list[Line]:
    """Numbers of the device a under the name x, words as "y 7" under another one, and marks."""
    found: list[Line] = []
    for line in lines:
        if isinstance(line, Mark):
            found.append(line)
        else:
            name, number = ("x", line) if isinstance(line, int) else (line.split()[0], int(line.split()[1]))
            found.append(Given(name, "a", number))
    return found


def judged(lines: Sequence[Line]) -> Verdict:
    return judge({"a": {line.number for line in lines if isinstance(line, Given)}}, lines)


def test_a_promise_that_was_kept() -> None:
    lines = [Given("x", "a", 1), Given("x", "b", 7), Given("x", "a", 2), Given("x", "a", 3)]
    verdict = judge({"a": {1, 2}, "b": set()}, lines)
    assert (verdict.kept, verdict.acknowledged, verdict.delivered, verdict.faults) == (True, 2, 4, [])


@pytest.mark.parametrize(
    ("numbers", "lost", "duplicated", "reordered", "first"),
    [
        ((1, 3), 1, 0, 0, "a: 2 was acknowledged and never came; the hook: x 1, x 3"),
        ((1, 2, 2, 3), 0, 1, 0, "a: 2 came twice; the hook: x 2, x 2"),
        ((1, 2, 3, 1), 0, 1, 0, "a: 1 came twice; the hook: x 1, x 2, x 3, x 1"),
        ((1, 3, 2), 0, 0, 1, "a: 2 came after 3; the hook: x 3, x 2"),
        ((), 3, 0, 0, "a: 1 was acknowledged and never came; the hook: nothing"),
        ((2, 3), 1, 0, 0, "a: 1 was acknowledged and never came; the hook: x 2"),
        ((1, 2), 1, 0, 0, "a: 3 was acknowledged and never came; the hook: x 2"),
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


@pytest.mark.parametrize(
    ("lines", "redelivered"),
    [
        # Nothing was in flight; some of the last run; all of it.
        ((1, 2, 3, KILL, 4), 0),
        ((1, 2, 3, KILL, 3, 4), 1),
        ((1, 2, 3, KILL, 1, 2, 3, 4), 3),
        # The run before the last one is settled, the last one is not.
        (("x 1", "y 2", "y 3", KILL, "y 2", "y 3", "x 4"), 2),
        # Killed again in the middle: what it had not got to is in flight still, as is what it had.
        ((1, 2, 3, KILL, 1, KILL, 1, 2, 3), 4),
        ((1, 2, 3, KILL, 1, KILL, 2, 3), 3),
        ((1, 2, 3, KILL, 2, KILL, 3), 2),
        # A life that was given nothing settles nothing.
        ((1, 2, KILL, KILL, 1, 2, 3), 2),
        # Another start of the device is another stream.
        ((NUMBERS + 9, 2 * NUMBERS + 1, KILL, 2 * NUMBERS + 1), 1),
        # After a gateway, runs before the last one too; also where it was killed behind the hooks.
        (("x 1", "y 2", "x 3", GATEWAY, KILL, "x 1", "y 2", "x 3", "y 4"), 3),
        (("x 1", "y 2", "x 3", KILL, GATEWAY, "y 2", "x 3"), 2),
        (("x 1", "y 2", "x 3", GATEWAY, KILL, "x 1", KILL, "x 1", "y 2", "x 3"), 4),
    ],
)
def test_what_was_in_flight_may_come_again(lines: "tuple[int | str | Mark, ...]", redelivered: int) -> None:
    verdict = judged(history(*lines))
    assert verdict.kept, verdict.faults
    assert verdict.redelivered == redelivered


@pytest.mark.parametrize(
    ("lines", "duplicated", "reordered", "first"),
    [
        # From before the last run, or the start before.
        (
            ("x 1", "y 2", KILL, "x 1", "y 2"),
            1,
            0,
            "a: 1 came twice; the hook: x 1, y 2, hook killed, x 1",
        ),
        (
            (NUMBERS + 9, 2 * NUMBERS, KILL, NUMBERS + 9),
            1,
            0,
            "a: 1000009 came twice; the hook: x 1000009, x 2000000, hook killed, x 1000009",
        ),
        # Confirmed in the next life, as later ones were given there.
        ((1, 2, KILL, 3, 2), 1, 0, "a: 2 came twice; the hook: x 2, hook killed, x 3, x 2"),
        ((1, 2, KILL, 3, KILL, 2), 1, 0, "a: 2 came twice; the hook: x 2, hook killed, x 3, hook killed, x 2"),
        ((1, 2, 3, KILL, 2, 3, KILL, 1), 1, 0, None),
        # Twice in one life, though it may come once.
        ((1, 2, KILL, 2, 2), 1, 0, "a: 2 came twice; the hook: x 2, x 2"),
        # Without a kill of the hooks, whatever became of the gateway.
        ((1, 2, GATEWAY, 2), 1, 0, "a: 2 came twice; the hook: x 2, gateway killed, x 2"),
        # Out of order, or with a hole in it.
        ((1, 2, 3, KILL, 3, 2), 1, 0, None),
        ((1, 2, 3, KILL, 1, 3), 0, 1, "a: 3 came before 2 came again; the hook: x 2, x 3, hook killed, x 1, x 3"),
        ((1, 2, 3, KILL, 2, 4), 0, 1, "a: 4 came before 3 came again; the hook: x 3, hook killed, x 2, x 4"),
        # A gateway whose hooks went on is settled by their next event.
        (("x 1", "y 2", "x 3", GATEWAY, "x 4", KILL, "y 2"), 1, 0, None),
    ],
)
def test_any_other_repetition_is_an_offence(
    lines: "tuple[int | str | Mark, ...]", duplicated: int, reordered: int, first: "str | None"
) -> None:
    verdict = judged(history(*lines))
    assert (verdict.duplicated, verdict.reordered) == (duplicated, reordered)
    assert first is None or verdict.faults[0] == first


def test_a_killed_gateway_opens_a_bounded_window() -> None:
    lines = history(*(f"{'xy'[number % 2]} {number}" for number in range(1, GATEWAY_WINDOW + 3)), GATEWAY, KILL)
    assert isinstance(lines[1], Given) and isinstance(lines[2], Given)
    whole = [line for line in lines[2:] if isinstance(line, Given)]
    assert judged([*lines, *whole]).redelivered == len(whole) == GATEWAY_WINDOW
    assert judged([*lines, lines[1], *whole]).duplicated == 1


def test_devices_are_judged_apart() -> None:
    lines: list[Line] = [Given("x", "a", 1), Given("x", "b", 1), Given("y", "b", 2), KILL]
    assert judge({}, [*lines, Given("x", "a", 1)]).redelivered == 1
    verdict = judge({}, [*lines, Given("x", "b", 1)])
    assert (verdict.duplicated, verdict.faults) == (1, ["b: 1 came twice; the hook: x 1, y 2, hook killed, x 1"])


def test_the_shortest_offence_comes_first_and_a_long_one_is_cut() -> None:
    verdict = judge({}, [*run(*range(1, 41), 1), *[Given("x", "b", number) for number in (5, 4)]])
    assert verdict.faults[0] == "b: 4 came after 5; the hook: x 5, x 4"
    shown = verdict.faults[1].split("; the hook: ")[1].split(", ")
    assert (shown[0], shown[SHOWN], shown[-1], len(shown)) == ("x 1", "... 29 more ...", "x 1", 2 * SHOWN + 1)


def test_a_seed_gives_the_same_faults_and_each_kind_its_turn() -> None:
    first, again = schedule(3), schedule(3)
    faults = [next(first) for _ in range(2 * len(KINDS))]
    assert faults == [next(again) for _ in range(2 * len(KINDS))]
    assert {fault.kind for fault in faults[: len(KINDS)]} == set(KINDS)
