"""The last values of devices, and how their numbers went: what a small chart shows.

Rules of this file: no I/O; every time is given, in seconds since 1970. What is kept is bounded for each device, so that
one that sends under ever new names takes nothing from the others.
"""

import math
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

# Devices whose values are kept: those that sent last. With the bounds below, all of them take some 25 MB at most, and
# one that sends a few numbers some 5 KB.
MAX_DEVICES = 128
MAX_NAMES = 16
MAX_NUMBERS = 4
POINTS = 60

# Points are at least so far apart; of what comes faster, the last is shown.
STEP_S = 1.0

# Names of which something came since it was last taken over. Few devices have more within a second.
MAX_FRESH = 1024

# How deep numbers are looked for in the data of an event.
_DEPTH = 2
# Characters of what a number is called: the path to it in the data.
_LABEL_CHARS = 40


class Series:
    """The last points of one number."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.times = array("d")
        self.values = array("d")

    def add(self, now: float, value: float) -> None:
        """One more, in place of the last one where that is as good as now."""
        times, values = self.times, self.values
        if len(times) > 1 and 0 <= now - times[-2] < STEP_S:
            times[-1], values[-1] = now, value
            return
        times.append(now)
        values.append(value)
        if len(times) >= 2 * POINTS:
            del times[:POINTS], values[:POINTS]

    def points(self) -> list[tuple[float, float]]:
        """The last ones, oldest first: times to the tenth of a second."""
        return [(round(at, 1), value) for at, value in zip(self.times[-POINTS:], self.values[-POINTS:], strict=True)]


class Value:
    """What came last under one name, when, how often, and its numbers by their place in the data."""

    __slots__ = ("count", "data", "numbers", "time")

    def __init__(self) -> None:
        self.time = 0.0
        self.count = 0
        self.data: Any = None
        self.numbers: dict[str, Series] = {}

    def set(self, now: float, data: Any, count: int) -> None:
        """It came again, so many times."""
        self.time, self.data = now, data
        self.count += count
        for label, number in _numbers(data, "", _DEPTH):
            series = self.numbers.get(label)
            if series is None:
                if len(self.numbers) >= MAX_NUMBERS:
                    continue
                series = self.numbers[label] = Series()
            series.add(now, number)


class History:
    """The last values of all devices."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, OrderedDict[str, Value]] = OrderedDict()
        # What came since then: last data, its time, how many, the time of the first.
        self._fresh: dict[tuple[str, str], list[Any]] = {}

    def note(self, device: str, name: str, data: Any, now: float) -> None:
        """An event came. Of a fast series, one in a while is looked at: this is called for every event."""
        key = (device, name)
        fresh = self._fresh.get(key)
        if fresh is None:
            self._fresh[key] = [data, now, 1, now]
            if len(self._fresh) >= MAX_FRESH:
                self.settle()
        elif 0 <= now - fresh[3] < STEP_S:
            fresh[0] = data
            fresh[1] = now
            fresh[2] += 1
        else:
            self._keep(device, name, *fresh[:3])
            self._fresh[key] = [data, now, 1, now]

    def settle(self) -> None:
        """Take over what has come."""
        fresh, self._fresh = self._fresh, {}
        for (device, name), (data, now, count, _) in fresh.items():
            self._keep(device, name, data, now, count)

    def of(self, device: str) -> dict[str, Value]:
        """Those of one device, by name."""
        self.settle()
        return dict(sorted(self._of.get(device, {}).items()))

    def _keep(self, device: str, name: str, data: Any, now: float, count: int) -> None:
        values = self._of.get(device)
        if values is None:
            values = self._of[device] = OrderedDict()
            if len(self._of) > MAX_DEVICES:
                self._of.popitem(last=False)
        self._of.move_to_end(device)
        value = values.get(name)
        if value is None:
            value = values[name] = Value()
            if len(values) > MAX_NAMES:
                values.popitem(last=False)
        values.move_to_end(name)
        value.set(now, data, count)


def _numbers(data: Any, label: str, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(data, (int, float)):
        try:
            number = float(data)
        except OverflowError:
            return
        if math.isfinite(number):
            yield label or "value", number
    elif depth and isinstance(data, dict):
        for key, part in data.items():
            yield from _numbers(part, f"{label}.{key}"[-_LABEL_CHARS:] if label else str(key)[:_LABEL_CHARS], depth - 1)
