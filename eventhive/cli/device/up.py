"""`eventhive device up`: from a board with MicroPython to its first event, in one go."""

import argparse
import json
from pathlib import Path
from typing import Any

from ...boards.board import Board, connect
from ...boards.facts import Facts
from ...boards.ports import is_remote
from ...core.errors import LocalError
from ..ending import UsageError
from ..output import say
from . import wifi
from .add import networks_of, settings_of
from .borrowing import borrowed
from .deploy import add_program, bring_up_to_date, prepare, read_program
from .links import add_link, link_of
from .shared import PORT_HELP, action, add_config, config_of, tell_gateway
from .waiting import Waiting, shown, silence

# A board joins its network and is welcomed within 20 s; one that has to try twice, within a minute.
WAIT_S = 60.0

# What an installation without a program of its own gets.
EXAMPLE = "picow-thermometer"

_EXAMPLES = """\
A gateway has to run with the configuration that is named: eventhive gateway --config gateway.yaml

examples:
  eventhive device up /dev/ttyACM0 --name sensor-1                     asks for the wireless network and its password
  eventhive device up /dev/ttyACM0 --name sensor-1 --wifi wifi.yaml    takes them from a file with mode 600:
                                                                         ssid: my network
                                                                         password: its password
  eventhive device up /dev/ttyACM0 --name sensor-1 --usb               needs no network: over this cable
  eventhive device up /dev/ttyACM0 --name sensor-1 --dry-run           only says what it would do

It looks at the board, enrols it (or takes the key that there is), writes the package, the configuration and a program
(the board's own, or else the example picow-thermometer), restarts it, and waits for its first event.
"""


def configure(actions: Any) -> None:
    """Add the command."""
    command = action(actions, "up", "set a board up, and wait for its first event", run, _EXAMPLES)
    command.add_argument("port", metavar="PORT", help=PORT_HELP)
    command.add_argument("--name", required=True, metavar="NAME", help="its id and input channel")
    add_config(command)
    add_link(command)
    command.add_argument("--wifi", type=Path, metavar="FILE", help="with 'ssid' and 'password' (asked for otherwise)")
    add_program(command)
    command.add_argument("--timeout", type=float, default=WAIT_S, metavar="SECONDS", help=f"to wait ({WAIT_S:g})")
    command.add_argument("--dry-run", action="store_true", help="change nothing, and say what would be done")
    command.add_argument("--json", action="store_true", help="print the first event as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry out the steps."""
    from ...gateway.control import NotRunningError, request

    if arguments.usb and is_remote(arguments.port):
        raise UsageError(f"{arguments.port}: the gateway opens ports of its own machine only: leave out --usb")
    config = config_of(arguments.config)
    control = config.gateway.control
    try:
        request(control, "ping")
    except NotRunningError:
        command = f"eventhive gateway --config {arguments.config}"
        raise LocalError(f"no gateway runs with {arguments.config}: start it, in another terminal: {command}") from None
    program = read_program(arguments)
    over_this_port = arguments.usb
    with borrowed(control, arguments.port) as lent:
        if over_this_port and not lent:
            raise LocalError(
                f"{arguments.port}: the gateway does not use this port: add it under 'gateway:', 'serial:'"
            )
        with connect(arguments.port, clean=True) as board:
            facts = _look(board)
            settings = _settings(arguments, config, board, facts)
            waiting = Waiting(control, arguments.name, arguments.port)
            _write(arguments, board, program, settings)
            board.restart()
            if arguments.dry_run:
                return 0
            if not over_this_port:
                state = waiting.first_event(board.lines(arguments.timeout))
    if over_this_port:
        state = waiting.first_event(silence(arguments.timeout))
    say(f"the first event: {shown(state)}")
    if arguments.json:
        print(json.dumps({"device": arguments.name, "port": arguments.port, "first": state["last"]}))
    return 0


def _look(board: Board) -> Facts:
    facts = board.facts()
    say(f"1. the board at {board.port}: {facts.shown}")
    facts.check(board.port)
    return facts


def _settings(arguments: argparse.Namespace, config: Any, board: Board, facts: Facts) -> dict[str, Any]:
    there = _there(board)
    networks = networks_of(arguments.config, config)
    link = link_of(arguments, config)
    ours = there if there.get("id") == arguments.name else {}
    radio = _wifi(arguments, link, there, facts)
    entry = _enrol(arguments, config, networks, bool(ours))
    # Keys of the board's own configuration stay: `spill`, `status` and the like.
    made = settings_of(arguments.name, entry, link, networks)
    kept = {key: value for key, value in ours.items() if key not in {*made, "keygen", "wifi"}}
    say(f"3. its configuration: {_link_shown(link)}" + (f", wireless network '{radio['ssid']}'" if radio else ""))
    if radio:
        wifi.warn()
    return {**made, **({"wifi": radio} if radio else {}), **kept}


def _wifi(
    arguments: argparse.Namespace, link: dict[str, Any], there: dict[str, Any], facts: Facts
) -> dict[str, Any] | None:
    if arguments.wifi:
        return wifi.read(arguments.wifi)
    known = there.get("wifi")
    if isinstance(known, dict) or link["type"] != "websocket" or not facts.radio:
        return known
    return {"ssid": "…"} if arguments.dry_run else wifi.ask()


def _enrol(arguments: argparse.Namespace, config: Any, networks: list[str], is_its_own: bool) -> Any:
    from ...gateway.keys import KeyStore

    name, store = arguments.name, KeyStore(config.gateway.keys)
    entry = store.load().get(name)
    undo = f"undo: eventhive device remove {name} --config {arguments.config}"
    if entry is not None:
        _check_free(config, name, is_its_own)
        say(f"2. '{name}' is enrolled: its key is used again ({undo})")
        return entry
    if arguments.dry_run:
        say(f"2. would make a key for '{name}' in {config.gateway.keys} ({undo})")
        from ...gateway.keys import Entry

        return Entry(bytes(32), 0, (), ())
    entry = store.add(name, networks)
    say(f"2. a key for '{name}' is in {config.gateway.keys} ({undo})")
    if tell_gateway(config):
        raise LocalError(f"the gateway does not know '{name}': restart it, and run this command again")
    return entry


def _check_free(config: Any, name: str, is_its_own: bool) -> None:
    from ...gateway.control import request

    devices = request(config.gateway.control, "devices")["devices"]
    online = next((one for one in devices if one["name"] == name and one["online"]), None)
    if online is not None and not is_its_own:
        where = f"over {online['link']} from {online['address']}"
        raise LocalError(f"another board is connected as '{name}', {where}: choose another --name, or switch it off")


def _write(arguments: argparse.Namespace, board: Board, program: dict[str, bytes], settings: dict[str, Any]) -> None:
    if not program and not board.read("main.py"):
        arguments.example = EXAMPLE
        program = read_program(arguments)
        say(f"   there is no program on the board: it gets the example {EXAMPLE} (another one: --main FILE)")
    if arguments.dry_run:
        todo, parts = prepare(board, program, settings, arguments.parts)
        say(
            f"4. would write {len(todo.write)} files ({todo.size} bytes), and remove {len(todo.remove)}; parts: {parts}"
        )
        say("5. would restart the board, and wait for its first event")
        return
    say("4. its files (undo: put another program in place of ours: eventhive device deploy PORT --main FILE)")
    bring_up_to_date(board, program, settings, arguments.parts)
    say("5. restarting the board, and waiting for its first event")


def _there(board: Board) -> dict[str, Any]:
    try:
        found = json.loads(board.read("eventhive.json"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _link_shown(link: dict[str, Any]) -> str:
    if link["type"] == "websocket":
        return f"a websocket to {link['host']}:{link['port']}"
    return {"usb": "its USB port", "uart": f"its UART {link.get('id')}"}.get(link["type"], f"{link.get('device')}")
