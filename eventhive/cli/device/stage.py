"""`eventhive device stage`: what goes on a board, laid out in a folder; for one board, or for MicroPython's `mip`."""

import argparse
from pathlib import Path
from typing import Any

from ...device.stage import PARTS, StagedFile
from ..ending import UsageError
from ..output import say
from .shared import action

_EXAMPLES = """\
examples:
  eventhive device stage board --mpy --with usb --with spill     for one board, to copy by hand
  eventhive device stage site --release                          for a web server, from which boards install:
                                                                   import mip
                                                                   mip.install("http://SERVER/package.json")
"""


def configure(actions: Any) -> None:
    """Add the command."""
    purpose = "write into a folder what goes on a board, laid out as on the board"
    stage = action(actions, "stage", purpose, run_stage, _EXAMPLES)
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
    purpose = "compiled, with all parts and the package.json that MicroPython's mip installs from"
    stage.add_argument("--release", action="store_true", help=purpose)


def run_stage(arguments: argparse.Namespace) -> int:
    """Lay out the files of a board, or of a release."""
    files = _released(arguments) if arguments.release else _staged(arguments)
    for file in files:
        print(f"{file.size:7} {file.path}")
    print(f"{sum(file.size for file in files):7} bytes in {len(files)} files")
    folder = arguments.folder
    if arguments.release:
        say(
            f"put {folder} on a web server, or run there: python -m http.server --directory {folder}; on a board with"
            ' a network: import mip; mip.install("http://SERVER/package.json")'
        )
    else:
        say(f"copy them to a board with: mpremote cp -r {folder}/eventhive : (eventhive device up does all of it)")
    return 0


def _staged(arguments: argparse.Namespace) -> list[StagedFile]:
    from ...device.stage import stage

    return stage(arguments.folder, arguments.mpy, PARTS if "all" in arguments.parts else arguments.parts)


def _released(arguments: argparse.Namespace) -> list[StagedFile]:
    from ...device.release import release

    if arguments.parts:
        raise UsageError("--release has all parts: leave out --with")
    return release(arguments.folder)
