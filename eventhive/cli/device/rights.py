"""`eventhive device remove`, `rekey`, `allow` and `deny`: what becomes of a device once it is enrolled."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ...core.errors import LocalError
from ..output import say
from .shared import LIMITS, action, add_config, config_of, globs, new_file, tell_gateway


def configure(actions: Any) -> None:
    """Add the commands."""
    remove = action(actions, "remove", "forget a device; its key is worth nothing from then on", run_remove)
    remove.add_argument("name", metavar="NAME")

    rekey = action(actions, "rekey", "make a new key for a device; the old one is good until it uses that", run_rekey)
    rekey.add_argument("name", metavar="NAME")
    rekey.add_argument("--file", type=Path, metavar="FILE", help="its eventhive.json, to put the new key in")

    allow = action(actions, "allow", "let a device publish or receive more, or set its limits", run_allow)
    deny = action(actions, "deny", "take rights away from a device", run_deny)
    for one in (allow, deny):
        one.add_argument("name", metavar="NAME")
        one.add_argument("--publish", action="append", default=[], metavar="GLOB", help="'my-hive/queen/*', say")
        one.add_argument("--receive", action="append", default=[], metavar="GLOB", help="'sensor-1/*', say")
    allow.add_argument("--rate", type=float, metavar="N", help="events a second that it may send; 0: no limit")
    allow.add_argument("--burst", type=int, metavar="N", help="of these, how many at once (as many as --rate)")
    allow.add_argument("--size", type=int, metavar="N", help="characters of JSON that an event may have; 0: no limit")
    allow.add_argument("--ttl", type=int, metavar="SECONDS", help="that commands for it live; 0: as 'command_ttl' says")

    for one in (remove, rekey, allow, deny):
        add_config(one)


def run_remove(arguments: argparse.Namespace) -> int:
    """Take a device out of the key file, and tell a running gateway."""
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    KeyStore(config.gateway.keys).remove(arguments.name)
    say(f"device '{arguments.name}' is no longer in {config.gateway.keys}")
    return tell_gateway(config)


def run_rekey(arguments: argparse.Namespace) -> int:
    """Make the new key, give it out, and tell a running gateway."""
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    settings = _settings_of(arguments.file, arguments.name) if arguments.file else {}
    entry = KeyStore(config.gateway.keys).rekey(arguments.name)
    new = {"key": entry.next_key.hex() if entry.next_key else "", "keygen": entry.next_keygen}
    text = json.dumps({**settings, **new}, indent=2)
    if arguments.file:
        _replace_file(arguments.file, text + "\n")
        say(f"copy {arguments.file} to the board as /eventhive.json, and restart the board; show it to nobody")
    else:
        print(text)
        say("put these two into the board's eventhive.json, and restart the board; show them to nobody")
    say(f"device '{arguments.name}': the old key is good until the board uses the new one")
    return tell_gateway(config)


def run_allow(arguments: argparse.Namespace) -> int:
    """Give rights, and tell a running gateway."""
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    limits = {key: getattr(arguments, key) for key in LIMITS}
    entry = KeyStore(config.gateway.keys).allow(arguments.name, arguments.publish, arguments.receive, **limits)
    return _tell_rights(arguments.name, entry, config)


def run_deny(arguments: argparse.Namespace) -> int:
    """Take rights away, and tell a running gateway."""
    from ...gateway.keys import KeyStore

    config = config_of(arguments.config)
    entry = KeyStore(config.gateway.keys).deny(arguments.name, arguments.publish, arguments.receive)
    return _tell_rights(arguments.name, entry, config)


def _tell_rights(name: str, entry: Any, config: Any) -> int:
    limits = [f"{key} {getattr(entry, key):g}" for key in LIMITS if getattr(entry, key)]
    rights = f"publish: {globs(entry.publish)}; receive: {globs(entry.receive)}"
    say("; ".join([f"device '{name}': {rights}", *limits]))
    return tell_gateway(config)


def _settings_of(path: Path, name: str) -> dict[str, Any]:
    """What is in the eventhive.json of a device."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise LocalError(f"{path}: not JSON: {error}") from None
    found = settings.get("id") if isinstance(settings, dict) else None
    if not isinstance(settings, dict) or found != name:
        raise LocalError(f"{path}: is not the eventhive.json of '{name}' (its id is {found!r})")
    return settings


def _replace_file(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(new_file(new), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
