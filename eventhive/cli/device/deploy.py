"""`eventhive device deploy`: bring the files of a board up to date, and restart it."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...boards import deploy
from ...boards.board import Board, connect
from ...boards.parts import needed
from ...core.errors import LocalError
from ...device.sources import examples_dir
from ...device.stage import PARTS
from ..output import say
from .borrowing import add_gateway, borrowed_from
from .progress import Progress
from .shared import PORT_HELP, action

_EXAMPLES = """\
examples:
  eventhive device deploy /dev/ttyACM0 --example picow-thermometer --config eventhive.json    the first time
  eventhive device deploy /dev/ttyACM0 --main my_program.py      another program, the same configuration
  eventhive device deploy /dev/ttyACM0                           the package alone, after an update of eventhive

Only files that differ are written. Parts that the configuration and the program need are added by themselves. The
key and the password of the network lie readable on the board's flash: whoever holds the board can copy them.
"""


def configure(actions: Any) -> None:
    """Add the command."""
    command = action(actions, "deploy", "copy what is new onto a board, and restart its program", run_deploy, _EXAMPLES)
    command.add_argument("port", metavar="PORT", help=PORT_HELP)
    add_program(command)
    command.add_argument(
        "-c", "--config", dest="settings", type=Path, metavar="FILE", help="an eventhive.json (the board's own stays)"
    )
    add_gateway(command)
    command.add_argument("--json", action="store_true", help="say what was done as JSON")


def add_program(command: argparse.ArgumentParser) -> None:
    """Add the options that say which program a board gets."""
    program = command.add_mutually_exclusive_group()
    program.add_argument("--example", metavar="NAME", help="a program that comes with eventhive")
    program.add_argument("--main", type=Path, metavar="FILE", help="a program of yours (the board's own stays)")
    parts = f"a part that is not found out by itself: {', '.join(PARTS)}"
    command.add_argument("--with", dest="parts", action="append", default=[], metavar="PART", help=parts)


def run_deploy(arguments: argparse.Namespace) -> int:
    """Compare, write, remove, restart."""
    program = read_program(arguments)
    settings = read_settings(arguments.settings) if arguments.settings else None
    with borrowed_from(arguments.gateway, arguments.port), connect(arguments.port, clean=True) as board:
        facts = board.facts()
        facts.check(arguments.port)
        say(f"{arguments.port}: {facts.shown}")
        done = bring_up_to_date(board, program, settings, arguments.parts)
        board.restart()
    if arguments.json:
        print(json.dumps(done, indent=2))
    return 0


def bring_up_to_date(
    board: Board, program: dict[str, bytes], settings: dict[str, Any] | None, asked: Iterable[str]
) -> dict[str, Any]:
    """Write what differs and remove what is stale; says so, and returns it. The board is not restarted."""
    todo, parts = prepare(board, program, settings, asked)
    progress = Progress("writing", todo.size)
    written: dict[str, int] = {}

    def told(path: str, done: int, total: int = 0) -> None:
        progress.step(done - written.get(path, 0))
        written[path] = done

    deploy.apply(board, todo, told)
    done = (
        f"wrote {len(todo.write)} files ({todo.size} bytes), removed {len(todo.remove)}, left {todo.same} as they were"
    )
    say(f"{board.port}: {done}; parts: {', '.join(parts) or 'none'}")
    return {
        "port": board.port,
        "written": list(todo.write),
        "bytes": todo.size,
        "removed": list(todo.remove),
        "unchanged": todo.same,
        "parts": parts,
    }


def prepare(
    board: Board, program: dict[str, bytes], settings: dict[str, Any] | None, asked: Iterable[str]
) -> tuple[deploy.Plan, list[str]]:
    """What there is to do on a board, and the parts that it needs; nothing is changed."""
    kept = {} if settings is not None else {deploy.SETTINGS: _kept(board, deploy.SETTINGS, "--config FILE")}
    if settings is None:
        settings = _parsed(f"{board.port}: {deploy.SETTINGS}", kept[deploy.SETTINGS].decode(errors="replace"))
    else:
        kept = {deploy.SETTINGS: deploy.settings_text(settings)}
    if not program:
        program = {deploy.PROGRAM: _kept(board, deploy.PROGRAM, "--example NAME or --main FILE")}
    texts = {path: data.decode(errors="replace") for path, data in program.items() if path.endswith(".py")}
    parts = sorted({part for path, text in texts.items() for part in needed(settings, text, path, asked)})
    # A module of the program may be needed by it; it comes before `main.py`.
    last = sorted(program.items(), key=lambda item: item[0] == deploy.PROGRAM)
    return deploy.plan(board, {**deploy.package(parts), **kept, **dict(last)}), parts


def read_program(arguments: argparse.Namespace) -> dict[str, bytes]:
    """The program that is asked for, by paths on the board; empty for the one that is there."""
    if arguments.main:
        try:
            return {deploy.PROGRAM: arguments.main.read_bytes()}
        except OSError as error:
            raise LocalError(f"{arguments.main}: {error.strerror}") from None
    if not arguments.example:
        return {}
    folder = examples_dir()
    known = sorted(path.parent.name for path in folder.glob(f"*/{deploy.PROGRAM}"))
    if arguments.example not in known:
        raise LocalError(f"there is no example '{arguments.example}'; there are: {', '.join(known)}")
    return {path.name: path.read_bytes() for path in sorted((folder / arguments.example).glob("*.py"))}


def read_settings(path: Path) -> dict[str, Any]:
    """An eventhive.json of this machine."""
    try:
        return _parsed(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}: 'eventhive device add NAME -o {path}' makes one") from None


def _parsed(shown: str, text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise LocalError(f"{shown}: not JSON: {error}") from None
    if not isinstance(settings, dict) or "link" not in settings:
        raise LocalError(f"{shown}: is no configuration of a board: 'eventhive device add NAME' makes one")
    return settings


def _kept(board: Board, path: str, option: str) -> bytes:
    data = board.read(path)
    if not data:
        raise LocalError(f"{board.port}: there is no {path} on the board yet: give {option}")
    return data
