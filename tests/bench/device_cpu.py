"""Time that a board's processor spends on sealing: `seal_us` and `open_us`, in microseconds, of a 70-byte event.

Measured on the unix port of MicroPython, in the staged tree, with the collections that the garbage causes.
"""

import argparse
from typing import Any

import support
from stand import bench, require_micropython
from support import median, spread

from eventhive.device.stage import homes

# Of a hundred records each, one more to warm up.
RUNS = 301
QUICK_RUNS = 4


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    require_micropython()
    with bench() as stand:
        runs = QUICK_RUNS if options.quick else RUNS
        took = stand.program("sealing.py", homes()["eventhive.core.seal"]).ask(runs=runs)
    figures: dict[str, Any] = {"spread": {}}
    for name in ("seal_us", "open_us"):
        figures[name] = median(took[name], 2)
        figures["spread"][name] = spread(took[name], 2)
    return figures


if __name__ == "__main__":
    support.main(measure)
