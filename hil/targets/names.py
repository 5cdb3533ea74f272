"""What `--target` and `--boards` take, and what makes targets of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from eventhive.cli.device.wifi import read
from eventhive.core.errors import LocalError
from hil.targets.base import CAPABILITIES, Target
from hil.targets.unix import esp32_like, pico_like

# Targets without an argument, in the order of a run that names none.
PLAIN: Mapping[str, Callable[[], Target]] = {"micropython": pico_like, "esp32-like": esp32_like}

KINDS = (*PLAIN, "emulator:FIRMWARE.uf2", "serial:/dev/…", "rfc2217://HOST:PORT")

# The keys of a board in boards.yaml, and their types.
KEYS: Mapping[str, type] = {"id": str, "port": str, "host": str, "wifi": str, "capabilities": list}


def make(name: str, host: str, wifi: str) -> Target:
    """The target of a name; a usage error says what there is."""
    if name in PLAIN:
        return PLAIN[name]()
    if name.startswith("emulator:"):
        from hil.targets.emulator import emulator

        return emulator(name.partition(":")[2], host)
    if name.startswith(("serial:", "rfc2217://")):
        from hil.targets.serial_port import at_port

        network = _network("--wifi", Path(wifi)) if wifi else None
        return at_port(name.removeprefix("serial:"), host=host, wifi=network)
    raise pytest.UsageError(f"--target {name}: unknown; there are {', '.join(KINDS)}")


def read_boards(path: Path) -> list[Target]:
    """The boards of a farm; a usage error names the file, the board and the key that is wrong."""
    from hil.targets.serial_port import at_port

    try:
        boards = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise pytest.UsageError(f"--boards {path}: {' '.join(str(error).split())}") from None
    if not isinstance(boards, list) or not boards:
        raise pytest.UsageError(f"--boards {path}: has to be a list of boards (docs/hil.md shows one)")
    found: list[Target] = []
    for number, board in enumerate(boards, 1):
        _check(f"--boards {path}: board {number}", board)
        more = tuple(board.get("capabilities", ()))
        where = f"--boards {path}: board {number}: wifi"
        network = _network(where, path.parent / board["wifi"]) if "wifi" in board else None
        found.append(at_port(board["port"], board["id"], board.get("host", ""), network, more))
    return found


def _network(where: str, path: Path) -> dict[str, Any]:
    """The wireless network in a file of its owner alone: a password is no argument, and in no list of boards."""
    try:
        return read(path)
    except LocalError as error:
        raise pytest.UsageError(f"{where}: {error}") from None


def _check(where: str, board: Any) -> None:
    if not isinstance(board, dict) or not {"id", "port"} <= set(board):
        raise pytest.UsageError(f"{where}: has to have an 'id' and a 'port'")
    for key, value in board.items():
        if key not in KEYS or not isinstance(value, KEYS[key]):
            raise pytest.UsageError(f"{where}: {key}: unknown, or of another type; there are {', '.join(KEYS)}")
    for one in board.get("capabilities", ()):
        if one not in CAPABILITIES:
            raise pytest.UsageError(f"{where}: capabilities: '{one}' is none; there are {', '.join(CAPABILITIES)}")
