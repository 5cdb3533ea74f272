"""What devices and hooks wrote down, and whether it keeps the promise: pure.

A device writes a line `n` for each event once it is acknowledged, a hook a line `device n` for each event that it is
given; nothing comes from the gateway. Numbers of a device grow by one and are never used again, over all its starts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Lines of history that are shown of a broken promise: what is before it, and what is after it.
CONTEXT = 3


@dataclass
class Verdict:
    """What came of it. `faults` are the first offences, each with the lines around it.

    `acknowledged` and `delivered` events; of these, `lost` were acknowledged and not delivered, `duplicated` came more
    than once, `reordered` came after one with a higher number of the same device.
    """

    acknowledged: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """True where the promise was kept."""
        return not (self.lost or self.duplicated or self.reordered)


def judge(acknowledged: dict[str, set[int]], delivered: Iterable[tuple[str, int]]) -> Verdict:
    """Hold what devices know to be acknowledged against what hooks were given, in its order."""
    runs: dict[str, list[int]] = defaultdict(list)
    for device, number in delivered:
        runs[device].append(number)
    verdict = Verdict(sum(map(len, acknowledged.values())))
    for device in sorted({*acknowledged, *runs}):
        _judge(device, acknowledged.get(device, set()), runs[device], verdict)
    return verdict


def _judge(device: str, acknowledged: set[int], run: Sequence[int], verdict: Verdict) -> None:
    seen: set[int] = set()
    highest = 0
    for index, number in enumerate(run):
        if number in seen:
            verdict.duplicated += 1
            _show(verdict, f"{device}: {number} came twice", run, index)
        elif number < highest:
            verdict.reordered += 1
            _show(verdict, f"{device}: {number} came after {highest}", run, index)
        seen.add(number)
        highest = max(highest, number)
    missing = sorted(acknowledged - seen)
    verdict.delivered += len(seen)
    verdict.lost += len(missing)
    if missing:
        following = next((index for index, number in enumerate(run) if number > missing[0]), len(run))
        _show(verdict, f"{device}: {missing[0]} was acknowledged and never came", run, following)


def _show(verdict: Verdict, what: str, run: Sequence[int], index: int) -> None:
    around = run[max(index - CONTEXT, 0) : index + CONTEXT]
    verdict.faults.append(f"{what}; the hook was given ... {' '.join(map(str, around))} ...")
