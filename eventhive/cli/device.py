"""`eventhive device`: enrol devices, list and remove them, say what they may do, lay out the files of a board."""

import argparse
import json
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..core.errors import LocalError
from ..device.stage import PARTS
from .gateway import DEFAULT_CONFIG
from .output import say

# What `allow` sets beside globs, as the key file has it.
LIMITS = ("rate", "burst", "size", "ttl")

LOOPBACK = ("127.0.0.1", "::1", "localhost")
ANY_ADDRESS = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}  # noqa: S104 - compared with, not listened on

# Addresses for documentation (RFC 5737, RFC 3849): nothing is sent to them, the system only says how it would.
SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `eventhive device`."""
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    add = _action(actions, "add", "make a key for a new device and print its eventhive.json", run_add)
    add.add_argument("name", metavar="NAME", help="its id and input channel: letters, digits, '-' and '_'")
    add.add_argument("--host", metavar="ADDRESS", help="where the board reaches this machine (found out by default)")
    add.add_argument("--serial", metavar="DEVICE", help="a serial link instead, over this device of the board")
    add.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a new file instead of stdout")

    listing = _action(actions, "list", "show all devices, their rights, and whether they are connected", run_list)
    listing.add_argument("--json", action="store_true", help="as JSON")

    remove = _action(actions, "remove", "forget a device; its key is worth nothing from then on", run_remove)
    remove.add_argument("name", metavar="NAME")

    rekey = _action(actions, "rekey", "make a new key for a device; the old one is good until it uses that", run_rekey)
    rekey.add_argument("name", metavar="NAME")
    rekey.add_argument("--file", type=Path, metavar="FILE", help="its eventhive.json, to put the new key in")

    allow = _action(actions, "allow", "let a device publish or receive more, or set its limits", run_allow)
    deny = _action(actions, "deny", "take rights away from a device", run_deny)
    for action in (allow, deny):
        action.add_argument("name", metavar="NAME")
        action.add_argument("--publish", action="append", default=[], metavar="GLOB", help="'my-hive/queen/*', say")
        action.add_argument("--receive", action="append", default=[], metavar="GLOB", help="'sensor-1/*', say")
    allow.add_argument("--rate", type=float, metavar="N", help="events a second that it may send; 0: no limit")
    allow.add_argument("--burst", type=int, metavar="N", help="of these, how many at once (as many as --rate)")
    allow.add_argument("--size", type=int, metavar="N", help="characters of JSON that an event may have; 0: no limit")

    allow.add_argument("--ttl", type=int, metavar="SECONDS", help="that commands for it live; 0: as 'command_ttl' says")

    stage = _action(actions, "stage", "write into a folder what goes on a board, laid out as on the board", run_stage)
    stage.add_argument("folder", type=Path, metavar="DIR")
    stage.add_argument("--mpy", action="store_true", help="compiled, which takes a fraction of the heap")
    stage.add_argument(
        "--with",
        dest="parts",
        action="append",
        default=[],
        metavar="PART",
        help=f"beside what every program needs: {', '.join(PARTS)}, or all (sources have all)",
    )

    for action in (add, listing, remove, rekey, allow, deny):
        action.add_argument(
            "-c", "--config", default=DEFAULT_CONFIG, metavar="FILE", help=f"of the gateway ({DEFAULT_CONFIG})"
        )


def _action(
    actions: Any, name: str, purpose: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(run=run)
    return parser


def run_add(arguments: argparse.Namespace) -> int:
    """Make the key, tell a running gateway, and give out the board's configuration."""
    from ..gateway.keys import KeyStore

    config = _config(arguments.config)
    networks = list(config.connectors)
    if not networks:
        raise LocalError(f"{arguments.config}: there are no 'connectors:', so a device could reach nobody")
    link = _serial_link(arguments, config) if arguments.serial else _websocket_link(arguments, config)
    output = _new_file(arguments.output) if arguments.output else None
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
    return _tell_gateway(config)


def run_list(arguments: argparse.Namespace) -> int:
    """Print the devices of the key file, with what a running gateway knows of them."""
    from ..gateway.control import NotRunningError, request
    from ..gateway.keys import KeyStore

    config = _config(arguments.config)
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
        print(f"{row['name']}  {_state(row)}  publish: {_globs(row['publish'])}  receive: {_globs(row['receive'])}")
    if not rows:
        say(f"there are no devices yet: eventhive device add NAME --config {arguments.config}")
    elif states is None:
        say("no gateway is running, so it is not known which are connected")
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    """Take a device out of the key file, and tell a running gateway."""
    from ..gateway.keys import KeyStore

    config = _config(arguments.config)
    KeyStore(config.gateway.keys).remove(arguments.name)
    say(f"device '{arguments.name}' is no longer in {config.gateway.keys}")
    return _tell_gateway(config)


def run_rekey(arguments: argparse.Namespace) -> int:
    """Make the new key, give it out, and tell a running gateway."""
    from ..gateway.keys import KeyStore

    config = _config(arguments.config)
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
    return _tell_gateway(config)


def run_allow(arguments: argparse.Namespace) -> int:
    """Give rights, and tell a running gateway."""
    from ..gateway.keys import KeyStore

    config = _config(arguments.config)
    limits = {key: getattr(arguments, key) for key in LIMITS}
    entry = KeyStore(config.gateway.keys).allow(arguments.name, arguments.publish, arguments.receive, **limits)
    return _tell_rights(arguments.name, entry, config)


def run_deny(arguments: argparse.Namespace) -> int:
    """Take rights away, and tell a running gateway."""
    from ..gateway.keys import KeyStore

    config = _config(arguments.config)
    entry = KeyStore(config.gateway.keys).deny(arguments.name, arguments.publish, arguments.receive)
    return _tell_rights(arguments.name, entry, config)


def _tell_rights(name: str, entry: Any, config: Any) -> int:
    limits = [f"{key} {getattr(entry, key):g}" for key in LIMITS if getattr(entry, key)]
    rights = f"publish: {_globs(entry.publish)}; receive: {_globs(entry.receive)}"
    say("; ".join([f"device '{name}': {rights}", *limits]))
    return _tell_gateway(config)


def run_stage(arguments: argparse.Namespace) -> int:
    """Lay out the files of a board."""
    from ..device.stage import stage

    files = stage(arguments.folder, arguments.mpy, PARTS if "all" in arguments.parts else arguments.parts)
    for file in files:
        print(f"{file.size:7} {file.path}")
    print(f"{sum(file.size for file in files):7} bytes in {len(files)} files")
    say(f"copy them to a board with: mpremote cp -r {arguments.folder}/eventhive :")
    return 0


def _config(path: str) -> Any:
    from ..config import load_file

    config = load_file(path)
    if config.gateway is None:
        raise LocalError(f"{path}: there is no 'gateway:' section; 'eventhive gateway --help' shows one")
    return config


def _serial_link(arguments: argparse.Namespace, config: Any) -> dict[str, Any]:
    from ..config import BAUDRATE

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
    from ..gateway.control import NotRunningError, request

    try:
        address: str = request(config.gateway.control, "ping")["address"]
    except NotRunningError:
        address = ""
    port = urlsplit(address).port
    if port is None:
        raise LocalError(f"{path}: the port is 0, so only a running gateway knows it: start the gateway first")
    return port


def _new_file(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise LocalError(f"{path}: exists already: remove it, or name another file") from None
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None


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
    with os.fdopen(_new_file(new), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _tell_gateway(config: Any) -> int:
    from ..gateway.control import NotRunningError, request

    try:
        request(config.gateway.control, "reload_keys")
    except NotRunningError:
        say("no gateway is running: it will know when it starts")
        return 0
    except LocalError as error:
        say(f"eventhive: the running gateway did not take it over, so restart it: {error}")
        return 1
    say("the running gateway knows")
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


def _globs(globs: Sequence[str]) -> str:
    return ", ".join(globs) or "nothing"
