"""`eventhive device list`: the enrolled devices, and what a running gateway knows of them."""

import argparse
import json
from typing import Any

from ..output import say
from .shared import LIMITS, action, add_config, config_of, globs


def configure(actions: Any) -> None:
    """Add the command."""
    listing = action(actions, "list", "show all devices, their rights, and whether they are connected", run_list)
    listing.add_argument("--json", action="store_true", help="as JSON")
    add_config(listing)


def run_list(arguments: argparse.Namespace) -> int:
    """Print the devices of the key file, with what a running gateway knows of them."""
    from ...gateway.control import NotRunningError, request
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    entries = KeyStore(config.gateway.keys).load()
    try:
        states = {state["name"]: state for state in request(config.gateway.control, "devices")["devices"]}
    except NotRunningError:
        states = None
    rows = [_row(name, entries.get(name), states) for name in sorted({*entries, *(states or {})})]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(f"{row['name']}  {_state(row)}  publish: {globs(row['publish'])}  receive: {globs(row['receive'])}")
    if not rows:
        say(f"there are no devices yet: eventhive device add NAME --config {arguments.config}")
    elif states is None:
        say("no gateway is running, so it is not known which are connected")
    return 0


def _row(name: str, entry: Any, states: dict[str, Any] | None) -> dict[str, Any]:
    row = {
        "name": name,
        "enrolled": entry is not None,
        "publish": list(entry.publish) if entry else [],
        "receive": list(entry.receive) if entry else [],
        **({key: getattr(entry, key) for key in LIMITS} if entry else {}),
        "online": None if states is None else False,
    }
    return {**row, **((states or {}).get(name, {}))}


def _state(row: dict[str, Any]) -> str:
    if row["online"]:
        return f"connected over {row['link']} from {row['address']}"
    return "unknown" if row["online"] is None else "away"
