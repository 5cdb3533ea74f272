"""Arguments of commands that are numbers or JSON: read, or refused in a line that says what is needed."""

import argparse
import json
import math
from typing import Any, NoReturn

# What a timer of the system can count in any case; a month is for ever here.
MAX_SECONDS = 31 * 24 * 3600.0


def seconds(text: str) -> float:
    """A time-out: a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"seconds are needed, above 0 and at most {MAX_SECONDS:.0f}, not '{text}'")
    return value


def count(text: str) -> int:
    """A number of events, at least 1."""
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a number from 1 on is needed, not '{text}'")
    return int(text)


def json_value(text: str) -> Any:
    """The value of a JSON text; `ValueError` says what is wrong with it."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
