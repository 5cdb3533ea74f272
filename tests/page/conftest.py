"""Places with a gateway that serves its page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import Place, at_place
from pages import PagePlace

from eventhive.device.stage import PARTS, stage


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What goes on a board, compiled, once for all tests."""
    folder = tmp_path_factory.mktemp("staged")
    stage(folder, mpy=True, parts=PARTS)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder of configurations; no device of it runs."""
    with at_place(tmp_path, tmp_path / "no-tree") as place:
        yield place


@pytest.fixture
def boards_page(tmp_path: Path, tree: Path) -> Iterator[PagePlace]:
    """A gateway with a page, for devices that run."""
    with at_place(tmp_path, tree) as place:
        yield PagePlace(place)


@pytest.fixture
def page(place: Place) -> PagePlace:
    """A gateway with a page, which is not started yet."""
    return PagePlace(place)
