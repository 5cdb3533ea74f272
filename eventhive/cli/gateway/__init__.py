"""`eventhive gateway`: run the gateway of a configuration, check one, or see how one is."""

import argparse

LEVELS = ("debug", "info", "warning", "error")

DEFAULT_CONFIG = "gateway.yaml"

_EXAMPLE = """\
what to do:
  run       the gateway, until Ctrl-C (also where nothing is said)
  check     the configuration and its key file, and say what would be opened
  status    show the devices and networks of the gateway that runs

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
    """Add the arguments of `eventhive gateway`."""
    parser.epilog = _EXAMPLE
    parser.add_argument("action", nargs="?", default="run", choices=("run", "check", "status"), help="what to do (run)")
    parser.add_argument(
        "-c", "--config", default=DEFAULT_CONFIG, metavar="FILE", help=f"the configuration ({DEFAULT_CONFIG})"
    )
    parser.add_argument("--log-level", default="info", choices=LEVELS, help="how much to log on stderr (info)")
    parser.add_argument("--json", action="store_true", help="check, status: as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    if arguments.action == "check":
        from .check import run_check as action
    elif arguments.action == "status":
        from .status import run_status as action
    else:
        from .run import run as action
    return action(arguments)
