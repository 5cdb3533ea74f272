"""The list of events of a Python program: what it can do beside what a board's can."""

import eventhive
from eventhive.eventlist import ProgramEvents


def test_whether_an_event_is_declared() -> None:
    events = ProgramEvents()
    events.append(["a/b", "c"])
    assert "a/b" in events
    assert "c" in events
    assert "a" not in events
    # It is no pattern, and what is no name is not declared.
    assert "a/*" not in events
    assert None not in events
    events.clear()
    assert "c" not in events


def test_iterating_gives_the_declared_names_in_order() -> None:
    events = ProgramEvents()
    assert list(events) == []
    events.append(["b", "a/b", "c/d/e"])
    assert list(events) == ["a/b", "b", "c/d/e"]
    assert len(events) == 3


def test_the_list_of_the_package_is_one() -> None:
    assert isinstance(eventhive.EVENTS, ProgramEvents)
    assert "test-eventlist/nowhere" not in eventhive.EVENTS
