"""`eventhive demo`: a gateway, a hive, a hooked function and two devices, all on this machine."""

import argparse
import contextlib
import math
import signal
from types import FrameType
from typing import TYPE_CHECKING

from ...core.errors import LocalError
from ..gateway import LEVELS
from ..output import log_to_stderr

if TYPE_CHECKING:
    from .play import Asked

_DETAILS = """\
A gateway, a hive with a hooked function, and two thermometers that run MicroPython as processes of their own: one is
connected over a websocket, one over a serial line (a pair of pseudo-terminals), each by its own key. Each event is
printed as it reaches the function. Commands switch the unit of the readings. A device that dies is started again.
Everything is on this machine: free ports of 127.0.0.1, a folder of its own that is removed at the end.
"""

_FIGURES = """\
the summary:
  sent       events, as the devices count them: each says at its end how many there were. A device that was killed took
             its count with it; the highest number that arrived stands for it, as each event carries its number
  received   different events that reached the function
  lost       the difference
  p50, p99   milliseconds from the call of a command to the entry of the function with the event that answers it:
             through hive, gateway and link, a hook on the device, and all the way back

--json writes one JSON object per event, and last one with the summary; whatever else is to be said goes to stderr.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `eventhive demo`."""
    parser.description = _DETAILS
    parser.epilog = _FIGURES
    parser.add_argument("--duration", type=_seconds, metavar="S", help="end after S seconds (at Ctrl-C)")
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout, for programs")
    parser.add_argument("--cpython", action="store_true", help="run the devices on CPython though there is MicroPython")
    parser.add_argument("--log-level", default="warning", choices=LEVELS, help="how much to log on stderr (warning)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show it until it was long enough, or until SIGINT, SIGTERM or SIGHUP; returns the exit code."""
    log_to_stderr(arguments.log_level)
    try:
        return _show(arguments)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LocalError(f"the demo cannot go on: {error}") from None


def _show(arguments: argparse.Namespace) -> int:
    from .bench import Bench
    from .play import Play
    from .show import JsonLines, Lines

    asked = _listen()
    with contextlib.closing(Bench(arguments.cpython)) as bench:
        play = Play(bench, JsonLines() if arguments.json else Lines(), asked)
        play.run(arguments.duration)
    play.end()
    return 1 if play.failed else 0


def _listen() -> "Asked":
    """Have the signals that ask for an end noted."""
    from .play import Asked

    asked = Asked()

    def note(number: int, frame: FrameType | None) -> None:
        asked.twice = asked.once
        asked.once = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    return asked


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}': a number of seconds above 0 is needed")
    return seconds
