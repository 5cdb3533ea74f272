"""The entry points: which command runs. What its end looks like is in `ending.py`."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from ..core.version import VERSION
from .ending import finish

COMMANDS = {
    "listen": "print the events of a network as they come",
    "send": "call events of a network, and see that they are confirmed",
    "gateway": "connect devices with the networks of a configuration, until Ctrl-C",
    "doctor": "look at all that a gateway needs, and say what is wrong and what to do",
    "device": "set boards up, enrol devices, list them, and see what they print",
    "chaos": "break everything that can break, and see whether an event is lost, doubled or reordered",
    "demo": "show it all on this machine: a gateway, a hive, and two devices that run MicroPython",
}

_DESCRIPTION = "EventHive: events of Python programs and of microcontrollers, over one network of names."

_EXAMPLES = """\
events, from and for a hive that runs:
  eventhive listen 'my-hive/queen/*'
  eventhive send my-hive/worker/action '{"a": 1}'

a first device, step by step:
  eventhive gateway                          run the gateway of gateway.yaml; its --help shows such a file
  eventhive device ports                     see which port the board is at
  eventhive device flash PORT FIRMWARE       put MicroPython on it, if it has none
  eventhive device up PORT --name sensor-1   enrol it, copy what it needs, and wait for its first event
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `eventhive` with these arguments, or those of the process; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(next((word for word in words if not word.startswith("-")), ""))
    parsed = parser.parse_args(words)
    return finish("eventhive", lambda: parsed.run(parsed))


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
