"""`eventhive device add`: make a key for a device, and the configuration of its board."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ...core.errors import LocalError
from ..output import say
from .links import add_link, link_of
from .shared import action, add_config, config_of, new_file, tell_gateway


def configure(actions: Any) -> None:
    """Add the command."""
    add = action(actions, "add", "make a key for a new device and print its eventhive.json", run_add)
    add.add_argument("name", metavar="NAME", help="its id and input channel: letters, digits, '-' and '_'")
    add_link(add)
    add.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a new file instead of stdout")
    add_config(add)


def run_add(arguments: argparse.Namespace) -> int:
    """Make the key, tell a running gateway, and give out the board's configuration."""
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    networks = networks_of(arguments.config, config)
    link = link_of(arguments, config)
    output = new_file(arguments.output) if arguments.output else None
    try:
        entry = KeyStore(config.gateway.keys).add(arguments.name, networks)
    except LocalError:
        if output is not None:
            arguments.output.unlink()
        raise
    settings = settings_of(arguments.name, entry, link, networks)
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


def networks_of(path: str, config: Any) -> list[str]:
    """The networks that a device of this gateway takes part in."""
    networks = list(config.connectors)
    if not networks:
        raise LocalError(f"{path}: there are no 'connectors:', so a device could reach nobody")
    return networks


def settings_of(name: str, entry: Any, link: dict[str, Any], networks: list[str]) -> dict[str, Any]:
    """What an eventhive.json has to say; with the key that the device is to use from now on."""
    key = {"key": (entry.next_key or entry.key).hex()}
    number = entry.next_keygen if entry.next_key else entry.keygen
    return {
        "id": name,
        **key,
        **({"keygen": number} if number else {}),
        "link": link,
        "connectors": {network: {"input_channel": name} for network in networks},
    }
