"""`eventhive device stage`: what goes on a board, laid out in a folder."""

import argparse
from pathlib import Path
from typing import Any

from ...device.stage import PARTS
from ..output import say
from .shared import action


def configure(actions: Any) -> None:
    """Add the command."""
    stage = action(actions, "stage", "write into a folder what goes on a board, laid out as on the board", run_stage)
    stage.add_argument("folder", type=Path, metavar="DIR")
    stage.add_argument("--mpy", action="store_true", help="compiled, which takes a fraction of the heap")
    stage.add_argument(
        "--with",
        dest="parts",
        action="append",
        default=[],
        metavar="PART",
        help=f"beside what every program needs: {', '.join(PARTS)}, or all (sources have all)",
    )


def run_stage(arguments: argparse.Namespace) -> int:
    """Lay out the files of a board."""
    from ...device.stage import stage

    files = stage(arguments.folder, arguments.mpy, PARTS if "all" in arguments.parts else arguments.parts)
    for file in files:
        print(f"{file.size:7} {file.path}")
    print(f"{sum(file.size for file in files):7} bytes in {len(files)} files")
    say(
        f"copy them to a board with: mpremote cp -r {arguments.folder}/eventhive : (eventhive device up does all of it)"
    )
    return 0
