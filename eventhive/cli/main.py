"""The entry points: which command, and what its end looks like.

Exit codes: 0 done, 1 failed (one line on stderr says what to do), 2 wrong usage, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from ..core.errors import EventHiveError
from ..core.version import VERSION
from .output import say

INTERRUPTED = 130

COMMANDS = {
    "gateway": "connect devices with the networks of a configuration, until Ctrl-C",
    "device": "enrol devices, list them, and lay out what goes on a board",
    "demo": "show it all on this machine: a gateway, a hive, and two devices that run MicroPython",
}

_DESCRIPTION = "EventHive: events of Python programs and of microcontrollers, over one network of names."

_EXAMPLES = """\
a first device, step by step:
  eventhive gateway                          run the gateway of gateway.yaml; its --help shows such a file
  eventhive device add sensor-1 -o eventhive.json    make a key, and the configuration of the board
  eventhive device stage board --mpy         lay out what goes on the board
  mpremote cp -r board/eventhive :           copy it there,
  mpremote cp eventhive.json :               and the configuration with it
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `eventhive` with these arguments, or those of the process; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(next((word for word in words if not word.startswith("-")), ""))
    parsed = parser.parse_args(words)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except EventHiveError as error:
        say(f"eventhive: {error}")
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def gateway() -> int:
    """Run `eventhive-gateway`, which is `eventhive gateway`."""
    return main(["gateway", *sys.argv[1:]])


def _parser(chosen: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eventhive",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"eventhive {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        module = f"{__package__}.{name}"
        if find_spec(module) is None:
            continue
        command = commands.add_parser(
            name, help=purpose, description=purpose, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == chosen:
            import_module(module).configure(command)
    return parser
