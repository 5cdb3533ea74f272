"""`eventhive gateway check`: whether a configuration can be used, and what it would open."""

import argparse
import json
import re
from typing import TYPE_CHECKING, Any

from ...core.errors import EventHiveError
from ..ending import FAILED
from .shared import read, section_of

if TYPE_CHECKING:
    from ...config import Config, Gateway, Server

# How an error of a configuration begins, where it has a place.
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<problem>.*)", re.DOTALL)


def run(arguments: argparse.Namespace) -> int:
    """Read what a start reads, and open nothing; what cannot be used ends with an error that names file and key."""
    try:
        found = check(arguments.config)
    except EventHiveError as error:
        if not arguments.json:
            raise
        print(json.dumps({"ok": False, **_fault(str(error))}, indent=2))
        return FAILED
    if arguments.json:
        print(json.dumps({"ok": True, **found}, indent=2))
        return 0
    print(f"{arguments.config}: can be used")
    for what, value in found.items():
        print(f"  {what}: {', '.join(value) if isinstance(value, list) else value}")
    return 0


def check(path: str) -> dict[str, Any]:
    """What a gateway with this configuration would open; an `EventHiveError` says why there can be none."""
    from ...access import server_context
    from ...gateway.keys import KeyStore

    config = read(path)
    gateway = section_of(path, config)
    page = [gateway.http.access] if gateway.http else []
    for access in (gateway.access, *page, *[server.access for server in config.servers.values()]):
        server_context(access)
    return _found(config, gateway, len(KeyStore(gateway.keys).load()))


def _found(config: "Config", gateway: "Gateway", devices: int) -> dict[str, Any]:
    return {
        "devices at": str(gateway.websocket or "no websocket"),
        "serial ports": [port.name for port in gateway.serial] or ["none"],
        "networks": [f"{name} ({one.kind})" for name, one in config.connectors.items()] or ["none"],
        "serving": [_serving(name, server) for name, server in config.servers.items()] or ["nothing"],
        "page": f"{gateway.http.host}:{gateway.http.port}" if gateway.http else "none",
        "keys": f"{gateway.keys} ({devices} devices)",
        "spool": str(gateway.spool.file) if gateway.spool is not None else "off",
        "state": str(gateway.state or "off"),
        "control": str(gateway.control),
    }


def _serving(name: str, server: "Server") -> str:
    return f"{name} at {server.address}{', where no other is found' if server.needed else ''}"


def _fault(text: str) -> dict[str, Any]:
    match = _PLACE.fullmatch(text)
    if match is None:
        return {"file": None, "line": None, "column": None, "problem": text}
    return {**match.groupdict(), "line": int(match["line"]), "column": int(match["column"])}
