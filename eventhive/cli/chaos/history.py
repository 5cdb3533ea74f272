"""What devices and hooks wrote down, and whether it keeps the promise: pure.

A device writes a line `n` for each event once it is acknowledged. A hook writes a line `name device n` for each event
that it is given, before it returns, so before the event is confirmed; each life of its process has a file of its own.
Nothing comes from the gateway. Numbers of a device grow by one and are never used again, over all its starts. Who kills
a process notes that in the hooks' history, as a `Mark`.

Which repetitions are allowed, and counted as `redelivered`:
1. Within one life of the hook's process: none. Numbers of a device only grow there.
2. In the next life: what was in flight when the process was killed, which is what it had been given and whose
   confirmation may not have reached the gateway. The gateway holds back an event of another name or stream until what
   is before it is confirmed. So that is the last run of events of one name and one start of the device, and no more.
3. Confirmations say "all up to here". So if an event comes again, all of rule 2 behind it come again too, in order.
4. What a life does not repeat of this, although it was given a later event, is confirmed: it never comes again. What it
   did not get to before it was killed is still in flight.
5. A gateway that was killed has lost the confirmations that were not on disk. Until the hook is given another event of
   the device, the last GATEWAY_WINDOW events are in flight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

# A device numbers its events from a multiple of this at each start.
NUMBERS = 1_000_000

# An event that is on disk and confirmed is erased with the transaction after its own. A device has at most 64 events
# in each of the two, because it calls no more until these are acknowledged.
GATEWAY_WINDOW = 128

# Lines of an offence that are shown at its beginning and at its end; what lies between is counted.
SHOWN = 6


class Mark(StrEnum):
    """What else happened: the process of the hooks, or the gateway, was killed with -9 and is there again."""

    HOOK_KILLED = "hook killed"
    GATEWAY_KILLED = "gateway killed"


class Given(NamedTuple):
    """A hook was given an event."""

    name: str
    device: str
    number: int


Line = Given | Mark


@dataclass
class Verdict:
    """What came of it. `faults` are the offences, each with its history, the shortest first.

    `acknowledged` and `delivered` events; of these, `lost` were acknowledged and not delivered, `redelivered` came
    again after a kill as they may, `duplicated` came again as they may not, `reordered` came after one with a higher
    number of the same device, or before one that had to come again.
    """

    acknowledged: int = 0
    delivered: int = 0
    redelivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """True where the promise was kept."""
        return not (self.lost or self.duplicated or self.reordered)


def judge(acknowledged: Mapping[str, set[int]], history: Sequence[Line]) -> Verdict:
    """Hold what devices know to be acknowledged against what hooks were given, in its order."""
    traces: dict[str, list[Line]] = {device: [] for device in sorted(acknowledged)}
    for device in sorted({line.device for line in history if isinstance(line, Given)}):
        traces[device] = [line for line in history if isinstance(line, Mark) or line.device == device]
    verdict = Verdict(sum(map(len, acknowledged.values())))
    offences: list[tuple[int, str]] = []
    for device, trace in traces.items():
        one = _Judge(device, trace, verdict)
        one.run(acknowledged.get(device, set()))
        offences += one.offences
    verdict.faults = [text for _, text in sorted(offences, key=lambda offence: offence[0])]
    return verdict


class _Judge:
    """Goes through the lines of one device, and adds up in `verdict`; `offences` are (lines, text)."""

    def __init__(self, device: str, trace: Sequence[Line], verdict: Verdict):
        self.offences: list[tuple[int, str]] = []
        self._device = device
        self._trace = trace
        self._verdict = verdict
        # Where each number was given first, and where in this life of the process, in order.
        self._first: dict[int, int] = {}
        self._life: dict[int, int] = {}
        self._highest = -1
        # In flight at the last kill, and not settled since; of these, what has to come now.
        self._open: list[int] = []
        self._due: list[int] = []
        # What would be in flight beside that if the process were killed now, and what these have in common.
        self._flying: list[int] = []
        self._common: tuple[str, int] | None = None

    def run(self, acknowledged: set[int]) -> None:
        """Judge all of it."""
        for index, line in enumerate(self._trace):
            if line is Mark.HOOK_KILLED:
                self._hook_killed()
            elif line is Mark.GATEWAY_KILLED:
                self._gateway_killed()
            elif isinstance(line, Given):
                self._check(index, line.number)
                self._given(index, line)
        self._find_lost(acknowledged)

    def _check(self, index: int, number: int) -> None:
        """Count what is wrong, or allowed, with this number here."""
        verdict = self._verdict
        if number in self._life or (number in self._first and number not in self._open):
            verdict.duplicated += 1
            self._show(f"{number} came twice", self._life.get(number, self._first.get(number, 0)), index)
        elif number < self._highest:
            verdict.reordered += 1
            self._show(f"{number} came after {self._highest}", self._life[self._highest], index)
        elif self._due and number > self._due[0]:
            verdict.reordered += 1
            self._show(f"{number} came before {self._due[0]} came again", self._first[self._due[0]], index)
        elif number in self._open:
            verdict.redelivered += 1

    def _given(self, index: int, line: Given) -> None:
        number = line.number
        if number in self._open or self._due:
            self._due = [other for other in self._open if other > number]
        self._open = [other for other in self._open if other > number]
        common = (line.name, number // NUMBERS)
        self._flying = [*self._flying, number] if common == self._common else [number]
        self._common = common
        self._first.setdefault(number, index)
        self._life.setdefault(number, index)
        self._highest = max(self._highest, number)

    def _hook_killed(self) -> None:
        self._open = sorted({*self._open, *self._flying})
        self._flying, self._common = [], None
        self._life, self._highest, self._due = {}, -1, []

    def _gateway_killed(self) -> None:
        window = list(self._first)[-GATEWAY_WINDOW:]
        if self._life:
            self._flying, self._common = window, None
        else:
            self._open = sorted({*self._open, *window})

    def _find_lost(self, acknowledged: set[int]) -> None:
        missing = sorted(acknowledged - self._first.keys())
        self._verdict.delivered += len(self._first)
        self._verdict.lost += len(missing)
        if missing:
            before = [index for number, index in self._first.items() if number < missing[0]]
            behind = [index for number, index in self._first.items() if number > missing[0]]
            last = min(behind, default=len(self._trace) - 1)
            first = max([index for index in before if index <= last], default=0)
            self._show(f"{missing[0]} was acknowledged and never came", first, last)

    def _show(self, what: str, first: int, last: int) -> None:
        """Note an offence with the lines of this device from the first one that it needs to the last."""
        lines = [str(line) if isinstance(line, Mark) else f"{line.name} {line.number}" for line in self._trace]
        lines = lines[first : last + 1]
        if len(lines) > 2 * SHOWN:
            between = len(lines) - 2 * SHOWN
            shown = [*lines[:SHOWN], f"... {between} more ...", *lines[-SHOWN:]]
        else:
            shown = lines
        self.offences.append((len(lines), f"{self._device}: {what}; the hook: {', '.join(shown) or 'nothing'}"))
