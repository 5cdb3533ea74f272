"""`eventhive device ports`: the serial ports of this machine, and the boards at them."""

import argparse
import json
from pathlib import Path
from typing import Any

from ...boards import ports
from ...boards.board import connect
from ...core.errors import LocalError
from ..output import say
from .shared import action, add_config

_EXAMPLES = """\
Each board is asked what it is, which interrupts its program and restarts it; what is no board gets a Ctrl-C and a
Ctrl-A. A port that the running gateway of --config uses is not touched, and shown as such; --no-ask touches none.
'eventhive device list' shows devices instead: which are enrolled, and connected.
"""


def configure(actions: Any) -> None:
    """Add the command."""
    command = action(actions, "ports", "show the serial ports of this machine, and the boards at them", run, _EXAMPLES)
    which = "only these, or rfc2217://HOST:PORT (all of this machine with something plugged in)"
    command.add_argument("ports", metavar="PORT", nargs="*", help=which)
    command.add_argument("--no-ask", dest="ask", action="store_false", help="leave boards alone")
    command.add_argument("--json", action="store_true", help="as JSON")
    add_config(command)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each port."""
    found = {port.path: port for port in ports.list_ports()}
    taken, enrolled = _of_gateway(arguments.config)
    rows = []
    for path in arguments.ports or list(found):
        known = found.get(path, ports.Port(path, "", "", ""))
        row = {"port": path, "description": known.description, "usb": known.usb, "serial": known.serial}
        rows.append({**row, **_asked(path, taken, enrolled, arguments.ask)})
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(f"{row['port']}  {_shown(row)}")
    if not rows:
        say("no serial port has anything plugged in: plug a board in, with a cable that carries data")
    return 0


def _asked(path: str, taken: dict[str, str], enrolled: set[str], ask: bool) -> dict[str, Any]:
    real = str(Path(path).resolve())
    if real in taken:
        return {"state": "gateway", "why": taken[real]}
    if not ask:
        return {"state": "not asked"}
    try:
        with connect(path) as board:
            facts = board.facts()
            name = _name(board.read("eventhive.json"))
            board.restart()
    except LocalError as error:
        return {"state": "no answer", "why": str(error).removeprefix(f"{path}: ")}
    return {
        "state": "board",
        "board": facts.board,
        "firmware": f"{facts.firmware} {'.'.join(map(str, facts.version))}",
        "heap_free": facts.heap_free,
        "flash_free": facts.flash_free,
        "id": name,
        "enrolled": name in enrolled,
    }


def _of_gateway(config: str) -> tuple[dict[str, str], set[str]]:
    """The ports that a running gateway has, with what it does there, and the devices that are enrolled."""
    from ...gateway.control import NotRunningError, request
    from ...gateway.keys import KeyStore
    from .shared import config_of

    if not Path(config).exists():
        return {}, set()
    checked = config_of(config)
    enrolled = set(KeyStore(checked.gateway.keys).load())
    try:
        answer = request(checked.gateway.control, "ports")
    except NotRunningError:
        return {}, enrolled
    return {str(Path(one["port"]).resolve()): _why(one) for one in answer["ports"]}, enrolled


def _why(one: dict[str, Any]) -> str:
    return f"{one['state']}: {one['why']}" if one["why"] else str(one["state"])


def _name(settings: bytes) -> str:
    try:
        return str(json.loads(settings)["id"])
    except (ValueError, KeyError, TypeError):
        return ""


def _shown(row: dict[str, Any]) -> str:
    if row["state"] == "gateway":
        return f"used by the running gateway ({row['why']})"
    if row["state"] != "board":
        return f"{row['description'] or '?'}  {row.get('why', row['state'])}"
    device = (
        f"'{row['id']}', {'enrolled' if row['enrolled'] else 'not enrolled here'}" if row["id"] else "no device yet"
    )
    heap, flash = row["heap_free"] // 1000, row["flash_free"] // 1000
    return f"{row['board']}  {row['firmware']}  {heap} KB of heap, {flash} KB of flash free  {device}"
