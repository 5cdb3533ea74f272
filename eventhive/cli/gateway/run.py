"""`eventhive gateway run`: the gateway of a configuration, until it is told to stop."""

import argparse
import signal
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ..output import log_to_stderr
from .shared import section_of, settings_of

if TYPE_CHECKING:
    from ...config import Gateway


def run(arguments: argparse.Namespace) -> int:
    """Start, print one line when ready, stop cleanly at SIGINT or SIGTERM."""
    import eventhive

    from ...config import build
    from ...gateway.notify import Notifier
    from .service import Service

    log_to_stderr(arguments.log_level, arguments.log_format)
    signal.signal(signal.SIGTERM, _interrupt)
    eventhive.CONFIG.read_file(arguments.config)
    eventhive.CONFIG.again = lambda: settings_of(arguments.config)
    gateway = section_of(arguments.config, build(eventhive.CONFIG))
    try:
        eventhive.init()
        service = Service(gateway.control, Notifier())
        ready = _ready_line(gateway)
        print(ready, flush=True)
        service.serve(ready)
    except KeyboardInterrupt:
        pass
    finally:
        eventhive.stop()
    return 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _ready_line(gateway: "Gateway") -> str:
    import eventhive

    from ...gateway.control import request

    answer = request(gateway.control, "ping")
    parts = [f"devices at {answer['address']}"] if answer["address"] else []
    parts += [f"page at {answer['page']}"] if answer["page"] else []
    parts += [f"serial port {port.name}" for port in gateway.serial]
    parts += [f"network {name}" for name in eventhive.CONNECTORS]
    parts += [f"serving {name} on {server.host}:{server.port}" for name, server in eventhive.SERVERS.items()]
    return f"eventhive gateway: ready: {', '.join(parts)}; control {gateway.control}"
