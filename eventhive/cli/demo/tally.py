"""What was sent, what arrived, and how long commands took; no I/O and no clock."""

import math
from typing import Any

# One run of a program on a device: its name, and the number of this start of it.
Run = tuple[str, int]


class Tally:
    """Counts by the numbers that the devices give their events, not by what arrived."""

    def __init__(self) -> None:
        self._numbers: dict[Run, set[int]] = {}
        self._reported: dict[Run, int] = {}
        self._asked: dict[int, float] = {}
        self._milliseconds: list[float] = []

    def arrived(self, run: Run, number: int) -> None:
        """An event arrived; one that comes twice counts once."""
        self._numbers.setdefault(run, set()).add(number)

    def reported(self, run: Run, sent: int) -> None:
        """A device says how many events it has sent in this run."""
        self._reported[run] = sent

    def asked(self, command: int, at: float) -> None:
        """A command was called, at this time in seconds."""
        self._asked[command] = at

    def answered(self, command: int, at: float) -> float | None:
        """The first answer to a command: the milliseconds it took; None for a later one."""
        asked = self._asked.pop(command, None)
        if asked is None:
            return None
        self._milliseconds.append((at - asked) * 1000)
        return self._milliseconds[-1]

    def summary(self) -> dict[str, Any]:
        """The whole; of a run that was killed, with its counter, the highest number that arrived stands for `sent`."""
        sent = sum(self._reported.get(run, max(numbers)) for run, numbers in self._numbers.items())
        received = sum(len(numbers) for numbers in self._numbers.values())
        return {
            "sent": sent,
            "received": received,
            "lost": sent - received,
            "commands_answered": len(self._milliseconds),
            "p50_ms": percentile(self._milliseconds, 0.50),
            "p99_ms": percentile(self._milliseconds, 0.99),
        }


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed, to a hundredth; None where there are no values."""
    if not values:
        return None
    return round(sorted(values)[math.ceil(share * len(values)) - 1], 2)
