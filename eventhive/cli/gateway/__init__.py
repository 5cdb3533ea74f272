"""`eventhive gateway`: run the gateway of a configuration, check one, or see how one is."""

import argparse
from collections.abc import Callable
from importlib import import_module

from .shared import DEFAULT_CONFIG, add_action

__all__ = ["DEFAULT_CONFIG", "configure"]

FORMATS = ("auto", "text", "journal", "json")
LEVELS = ("debug", "info", "warning", "error")

_ACTIONS = {
    "run": "the gateway, until Ctrl-C (also where nothing is said)",
    "check": "the configuration, its key file and certificates, and say what would be opened",
    "install": "write a systemd unit for it, and say how to start it and how to undo it",
    "reload": "have the gateway that runs read its configuration and key file again",
    "status": "show the devices and networks of the gateway that runs",
}

_EXAMPLE = """\
a configuration:
  connectors:
    my-hive:
      pubsub_type: websocket
      input_channel: gateway
      init: {host: 127.0.0.1, port: 8085}
  servers:                      # this process serves the network as well: no broker is needed
    my-hive: {pubsub_type: websocket, create: always, init: {port: 8085}}
  gateway:
    websocket: {host: 0.0.0.0, port: 8086}
    serial:
      - {port: /dev/ttyACM0}
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `eventhive gateway`, and its actions."""
    parser.epilog = _EXAMPLE
    parser.add_argument(
        "-c", "--config", default=DEFAULT_CONFIG, metavar="FILE", help=f"the configuration ({DEFAULT_CONFIG})"
    )
    _add_running(parser, "info", "auto")
    parser.set_defaults(run=_lazily("run"))
    actions = parser.add_subparsers(title="what to do", metavar="ACTION")
    added = {name: add_action(actions, name, purpose, _lazily(name)) for name, purpose in _ACTIONS.items()}
    # As above, without values of their own: what is said before the action counts.
    _add_running(added["run"], argparse.SUPPRESS, argparse.SUPPRESS)
    added["install"].add_argument("--user", action="store_true", help="for the systemd of this user")
    added["install"].add_argument("--dry-run", action="store_true", help="print the unit, and write nothing")
    for name in ("check", "status"):
        added[name].add_argument("--json", action="store_true", help="as JSON")


def _add_running(parser: argparse.ArgumentParser, level: str, form: str) -> None:
    parser.add_argument("--log-level", default=level, choices=LEVELS, help="how much to log on stderr (info)")
    parser.add_argument(
        "--log-format", default=form, choices=FORMATS, help="how (auto: as the journal wants it, or as text)"
    )


def _lazily(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        action: Callable[[argparse.Namespace], int] = import_module(f".{name}", __name__).run
        return action(arguments)

    return run
