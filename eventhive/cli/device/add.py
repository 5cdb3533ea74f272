"""`eventhive device add`: make a key for a device, and the configuration of its board."""

import argparse
import json
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import LocalError
from ..output import say
from .shared import action, add_config, config_of, new_file, tell_gateway

LOOPBACK = ("127.0.0.1", "::1", "localhost")
ANY_ADDRESS = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}  # noqa: S104 - compared with, not listened on

# Addresses for documentation (RFC 5737, RFC 3849): nothing is sent to them, the system only says how it would.
SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def configure(actions: Any) -> None:
    """Add the command."""
    add = action(actions, "add", "make a key for a new device and print its eventhive.json", run_add)
    add.add_argument("name", metavar="NAME", help="its id and input channel: letters, digits, '-' and '_'")
    add.add_argument("--host", metavar="ADDRESS", help="where the board reaches this machine (found out by default)")
    add.add_argument("--serial", metavar="DEVICE", help="a serial link instead, over this device of the board")
    add.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a new file instead of stdout")
    add_config(add)


def run_add(arguments: argparse.Namespace) -> int:
    """Make the key, tell a running gateway, and give out the board's configuration."""
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    networks = list(config.connectors)
    if not networks:
        raise LocalError(f"{arguments.config}: there are no 'connectors:', so a device could reach nobody")
    link = _serial_link(arguments, config) if arguments.serial else _websocket_link(arguments, config)
    output = new_file(arguments.output) if arguments.output else None
    try:
        entry = KeyStore(config.gateway.keys).add(arguments.name, networks)
    except LocalError:
        if output is not None:
            arguments.output.unlink()
        raise
    settings = {
        "id": arguments.name,
        "key": entry.key.hex(),
        "link": link,
        "connectors": {network: {"input_channel": arguments.name} for network in networks},
    }
    text = json.dumps(settings, indent=2)
    if output is None:
        print(text)
    else:
        with os.fdopen(output, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    say(f"device '{arguments.name}' is in {config.gateway.keys}: it may publish {', '.join(entry.publish)}")
    where = arguments.output or "this JSON, saved as eventhive.json,"
    say(f"copy {where} to the board as /eventhive.json; it holds the key, so show it to nobody")
    return tell_gateway(config)


def _serial_link(arguments: argparse.Namespace, config: Any) -> dict[str, Any]:
    from ...config import BAUDRATE

    if not config.gateway.serial:
        say(f"{arguments.config}: the gateway opens no serial port: add one under 'gateway:', 'serial:'")
    rates = {port.baudrate for port in config.gateway.serial}
    return {"type": "serial", "device": arguments.serial, "baudrate": rates.pop() if len(rates) == 1 else BAUDRATE}


def _websocket_link(arguments: argparse.Namespace, config: Any) -> dict[str, Any]:
    address = config.gateway.websocket
    if address is None:
        raise LocalError(f"{arguments.config}: 'gateway:' has no 'websocket:'; name a serial link with --serial")
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
