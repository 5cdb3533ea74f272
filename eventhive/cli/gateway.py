"""`eventhive gateway`: run the gateway of a configuration until it is told to stop."""

import argparse
import signal
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ..core.errors import LocalError
from .output import log_to_stderr

if TYPE_CHECKING:
    from ..config import Gateway

LEVELS = ("debug", "info", "warning", "error")

DEFAULT_CONFIG = "gateway.yaml"

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
    """Add the arguments of `eventhive gateway`."""
    parser.epilog = _EXAMPLE
    parser.add_argument(
        "-c", "--config", default=DEFAULT_CONFIG, metavar="FILE", help=f"the configuration ({DEFAULT_CONFIG})"
    )
    parser.add_argument("--log-level", default="info", choices=LEVELS, help="how much to log on stderr (info)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start, print one line when ready, stop cleanly at SIGINT or SIGTERM."""
    import eventhive

    from ..config import build

    log_to_stderr(arguments.log_level)
    signal.signal(signal.SIGTERM, _interrupt)
    eventhive.CONFIG.read_file(arguments.config)
    gateway = build(eventhive.CONFIG).gateway
    if gateway is None:
        raise LocalError(f"{arguments.config}: there is no 'gateway:' section; 'eventhive gateway --help' shows one")
    try:
        eventhive.init()
        print(_ready_line(gateway), flush=True)
        eventhive.run_forever()
    except KeyboardInterrupt:
        pass
    finally:
        eventhive.stop()
    return 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _ready_line(gateway: "Gateway") -> str:
    import eventhive

    from ..gateway.control import request

    address = request(gateway.control, "ping")["address"]
    parts = [f"devices at {address}"] if address else []
    parts += [f"serial port {port.port}" for port in gateway.serial]
    parts += [f"network {name}" for name in eventhive.CONNECTORS]
    parts += [f"serving {name} on {server.host}:{server.port}" for name, server in eventhive.SERVERS.items()]
    return f"eventhive gateway: ready: {', '.join(parts)}; control {gateway.control}"
