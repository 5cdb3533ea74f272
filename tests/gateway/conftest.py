"""A staged tree for all tests of this folder, and a place with a gateway and devices for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import Place, at_place
from moved_clock import MovedClock, library

from eventhive.device.stage import PARTS, stage


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What goes on a board, compiled, once for all tests."""
    folder = tmp_path_factory.mktemp("staged")
    stage(folder, mpy=True, parts=PARTS)
    return folder


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of clocks that can be moved."""
    return library(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def clock(shim: Path, tmp_path: Path) -> MovedClock:
    """The time of day of processes that are given its environment."""
    return MovedClock(shim, tmp_path / "clock")


@pytest.fixture
def place(tmp_path: Path, tree: Path) -> Iterator[Place]:
    """A folder of configurations, and processes in it that are gone at the end."""
    with at_place(tmp_path, tree) as place:
        yield place
