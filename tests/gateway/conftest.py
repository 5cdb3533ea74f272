"""A staged tree for all tests of this folder, and a place with a gateway and devices for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import Place, at_place

from eventhive.device.stage import PARTS, stage


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What goes on a board, compiled, once for all tests."""
    folder = tmp_path_factory.mktemp("staged")
    stage(folder, mpy=True, parts=PARTS)
    return folder


@pytest.fixture
def place(tmp_path: Path, tree: Path) -> Iterator[Place]:
    """A folder of configurations, and processes in it that are gone at the end."""
    with at_place(tmp_path, tree) as place:
        yield place
