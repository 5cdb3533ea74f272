"""`eventhive gateway check`: whether a configuration can be used, and what it would open."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from ...core.errors import LocalError

if TYPE_CHECKING:
    from ...config import Config, Gateway


def run_check(arguments: argparse.Namespace) -> int:
    """Read the configuration and its key file; what cannot be used ends with an error that names file and key."""
    from ...config import load_file
    from ...gateway.keys import KeyStore

    config = load_file(arguments.config)
    if config.gateway is None:
        raise LocalError(f"{arguments.config}: there is no 'gateway:' section; 'eventhive gateway --help' shows one")
    devices = KeyStore(config.gateway.keys).load()
    config.gateway.tls()
    found = _found(config, config.gateway, len(devices))
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"{arguments.config}: can be used")
    for what, value in found.items():
        print(f"  {what}: {', '.join(value) if isinstance(value, list) else value}")
    return 0


def _found(config: "Config", gateway: "Gateway", devices: int) -> dict[str, Any]:
    return {
        "devices at": str(gateway.websocket or "no websocket"),
        "serial ports": [port.port for port in gateway.serial] or ["none"],
        "networks": [f"{name} ({one.kind})" for name, one in config.connectors.items()] or ["none"],
        "serving": [f"{name} at {server.address}" for name, server in config.servers.items()] or ["nothing"],
        "keys": f"{gateway.keys} ({devices} devices)",
        "spool": str(gateway.spool.file) if gateway.spool is not None else "off",
        "control": str(gateway.control),
    }
