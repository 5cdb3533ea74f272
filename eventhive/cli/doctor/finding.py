"""What a check finds: how bad it is, one line that says what is so, and one that says what to do.

Rules of this file: a finding has no secret in it. What a person has to do nothing about is `ok`; a `note` is worth
knowing; a `warning` will be a problem one day, or is one of safety; with a `problem`, something does not work now.
"""

from collections.abc import Iterable
from typing import NamedTuple

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"
LEVELS = (OK, NOTE, WARNING, PROBLEM)

# Names in one line; a fleet has thousands of devices.
SHOWN = 5


class Finding(NamedTuple):
    """One line about one thing; `todo` is empty where there is nothing to do."""

    level: str
    text: str
    todo: str = ""


def ok(text: str) -> Finding:
    """It is as it should be."""
    return Finding(OK, text)


def note(text: str, todo: str = "") -> Finding:
    """It is worth knowing."""
    return Finding(NOTE, text, todo)


def warning(text: str, todo: str) -> Finding:
    """It works, and not for ever, or not safely."""
    return Finding(WARNING, text, todo)


def problem(text: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(PROBLEM, text, todo)


def some(names: Iterable[str]) -> str:
    """The first of many names, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
