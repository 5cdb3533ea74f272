"""`eventhive chaos`: break everything that can break, and see whether events are lost, doubled or reordered."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from ..output import say
from .schedule import DRAIN_S, KINDS, SABOTAGES

MINUTES = 1.0

_EPILOG = """\
It runs three devices (MicroPython where there is one), a gateway, the server of a network, and hooks, as processes of
their own, on this machine and in a folder of its own. What devices and hooks write down is the history that is judged:
every acknowledged event has to reach its hook, once, and in the order of its device. When the hooks are killed, what is
in flight may come again, and is counted as redelivered.

The kinds of faults: {kinds}

  eventhive chaos --minutes 2 --seed 7
  eventhive chaos --faults 100 --only gateway-kill --json
  eventhive chaos --minutes 1 --sabotage drop-one    # breaks the promise on purpose: ends with exit code 1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `eventhive chaos`."""
    parser.epilog = _EPILOG.format(kinds=", ".join(KINDS))
    parser.add_argument("--minutes", type=float, metavar="N", help=f"how long ({MINUTES:g}, or until --faults)")
    parser.add_argument("--faults", type=int, metavar="N", help="end after so many faults")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed gives the same faults (1)")
    parser.add_argument("--only", action="append", choices=KINDS, metavar="KIND", help="this kind of fault alone")
    parser.add_argument("--sabotage", choices=SABOTAGES, help="break the promise, to see that it is noticed")
    parser.add_argument(
        "--drain", type=float, default=DRAIN_S, metavar="S", help=f"what comes later than that is lost ({DRAIN_S:g})"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a new folder for histories and logs, which stays")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run it; exit code 1 when the promise was broken."""
    from .run import Run

    minutes = arguments.minutes or (MINUTES if arguments.faults is None else float("inf"))
    with tempfile.TemporaryDirectory(prefix="eventhive-chaos-") as scratch:
        folder = arguments.keep or Path(scratch) / "run"
        folder.mkdir(parents=True)
        kinds = tuple(arguments.only or KINDS)
        one = Run(folder.resolve(), arguments.seed, kinds, arguments.sabotage or "none", _progress)
        result = asyncio.run(one.run(minutes * 60, arguments.faults or sys.maxsize, arguments.drain))
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        for key, value in result.items():
            print(f"{key}: {value}")
    kept = not (result["lost"] or result["duplicated"] or result["reordered"])
    say("eventhive chaos: the promise was kept" if kept else f"eventhive chaos: BROKEN: {result['offences'][0]}")
    return 0 if kept else 1


def _progress(line: str) -> None:
    say(f"eventhive chaos: {line}")
