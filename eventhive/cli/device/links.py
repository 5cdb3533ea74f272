"""How a board reaches the gateway: the options that say it, and the link of its eventhive.json."""

import argparse
import socket
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import LocalError
from ..ending import UsageError
from ..output import say

LOOPBACK = ("127.0.0.1", "::1", "localhost")
ANY_ADDRESS = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}  # noqa: S104 - compared with, not listened on

# Addresses for documentation (RFC 5737, RFC 3849): nothing is sent to them, the system only says how it would.
SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def add_link(command: argparse.ArgumentParser) -> None:
    """Add the options; without one, it is a websocket."""
    command.add_argument(
        "--host", metavar="ADDRESS", help="where the board reaches this machine (found out by default)"
    )
    way = command.add_mutually_exclusive_group()
    way.add_argument("--usb", action="store_true", help="a serial link instead, over the board's USB port")
    way.add_argument(
        "--uart", metavar="ID[,TX,RX]", help="a serial link instead, over this UART of the board, and pins"
    )
    way.add_argument("--serial", metavar="DEVICE", help="a serial link instead, over this device of a Linux board")


def link_of(arguments: argparse.Namespace, config: Any) -> dict[str, Any]:
    """The link that the options ask for, to the gateway of a checked configuration."""
    if arguments.usb:
        return {"type": "usb", **_checked_serial(arguments, config, {})}
    if arguments.uart:
        return _checked_serial(arguments, config, {"type": "uart", **_uart(arguments.uart), "baudrate": 0})
    if arguments.serial:
        return _checked_serial(arguments, config, {"type": "serial", "device": arguments.serial, "baudrate": 0})
    return _websocket_link(arguments, config)


def _uart(text: str) -> dict[str, int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3):
        raise UsageError(
            f"--uart {text}: is the number of a UART, or 'ID,TX,RX' with the numbers of two pins: 1,4,5, say"
        )
    return dict(zip(("id", "tx", "rx"), numbers, strict=False))


def _checked_serial(arguments: argparse.Namespace, config: Any, link: dict[str, Any]) -> dict[str, Any]:
    """The link, at the speed of the gateway's port where it has one."""
    from ...config import BAUDRATE

    if not config.gateway.serial:
        say(f"{arguments.config}: the gateway opens no serial port: add one under 'gateway:', 'serial:'")
    rates = {port.baudrate for port in config.gateway.serial}
    rate = rates.pop() if len(rates) == 1 else BAUDRATE
    return {**link, "baudrate": rate} if "baudrate" in link else link


def _websocket_link(arguments: argparse.Namespace, config: Any) -> dict[str, Any]:
    address = config.gateway.websocket
    if address is None:
        raise LocalError(
            f"{arguments.config}: 'gateway:' has no 'websocket:'; name a serial link: --usb, --uart or --serial"
        )
    host = arguments.host or _reachable(address.host)
    if host in LOOPBACK:
        say(f"{host} is this machine only, where no board reaches it: listen on 0.0.0.0, or give --host")
    port = address.port or _running_port(arguments.config, config)
    return {"type": "websocket", "host": host, "port": port, "endpoint": address.endpoint}


def _reachable(bound: str) -> str:
    """The address under which others reach what listens on `bound`."""
    family = ANY_ADDRESS.get(bound)
    if family is None:
        return bound
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((SOMEWHERE[family], 9))
        except OSError:
            return LOOPBACK[0]
        address: str = probe.getsockname()[0]
        return address


def _running_port(path: str, config: Any) -> int:
    from ...gateway.control import NotRunningError, request

    try:
        address: str = request(config.gateway.control, "ping")["address"]
    except NotRunningError:
        address = ""
    port = urlsplit(address).port
    if port is None:
        raise LocalError(f"{path}: the port is 0, so only a running gateway knows it: start the gateway first")
    return port
