"""Boards on a cable, and the commands that talk to them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cabled import CabledBoard

ROOT = Path(__file__).parents[2]

# Longer than anything here takes on a busy machine; nothing waits this long when all is well.
DEADLINE_S = 120


@pytest.fixture
def cabled(tmp_path: Path) -> Iterator[Callable[..., CabledBoard]]:
    """Switch on a board: `cabled(blocks=64)`; it is off at the end."""
    boards: list[CabledBoard] = []

    def begin(**options: object) -> CabledBoard:
        boards.append(CabledBoard(tmp_path / f"board-{len(boards)}", **options))  # type: ignore[arg-type]
        return boards[-1]

    yield begin
    for board in boards:
        board.end()


@pytest.fixture
def eventhive(tmp_path: Path) -> "Callable[..., subprocess.CompletedProcess[str]]":
    """Run a command of eventhive in the folder of the test."""

    def run(*words: object, input: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "eventhive", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            input=input,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )

    return run
