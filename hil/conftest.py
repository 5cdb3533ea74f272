"""Hardware in the loop: the same tests for each kind of device, with a real gateway and a real hive in front of it.

`pytest hil` runs them on devices without hardware, `--target` and `--boards` name others (docs/hil.md). Tests wait for
lines and events, never for time to pass.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.device.stage import PARTS, stage
from hil.lib.hub import Gateway, Listener, Server
from hil.targets.base import CAPABILITIES, Target
from hil.targets.names import PLAIN, make

TARGETS = pytest.StashKey[list[Target]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hardware in the loop")
    group.addoption("--target", action="append", default=[], metavar="TARGET", help="a device; may be given repeatedly")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in CAPABILITIES.items():
        config.addinivalue_line("markers", f"{name}: for devices whose target {meaning}")

    config.stash[TARGETS] = [make(name) for name in config.getoption("target") or PLAIN]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        found = metafunc.config.stash[TARGETS]
        metafunc.parametrize("target", found, ids=[one.name for one in found], indirect=True, scope="session")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What goes on a board, compiled; made once."""
    folder = tmp_path_factory.mktemp("staged")
    stage(folder, mpy=True, parts=PARTS)
    return folder


@pytest.fixture(scope="session")
def hive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The network of all tests."""
    server = Server(tmp_path_factory.mktemp("hive"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tree: Path) -> Iterator[Target]:
    """The device of this and the following tests, taken for this run alone."""
    one: Target = request.param
    one.open(tree)
    yield one
    one.close()


@pytest.fixture
def dut(request: pytest.FixtureRequest, target: Target, tmp_path: Path) -> Iterator[Target]:
    """The device under test; the test's markers say what it has to have."""
    target.need(*(mark.name for mark in request.node.iter_markers() if mark.name in CAPABILITIES))
    target.begin(tmp_path)
    yield target
    target.end()


@pytest.fixture
def gateway(tmp_path: Path, dut: Target, hive: Server) -> Iterator[Gateway]:
    """A gateway that the device can reach, and that has its serial line open."""
    one = Gateway(tmp_path, hive.port, dut)
    yield one
    one.close()


@pytest.fixture
def listener(hive: Server, dut: Target) -> Iterator[Listener]:
    """A Python program that receives and sends."""
    one = Listener(hive.port, dut.patience)
    yield one
    one.close()


LINKS = [pytest.param("websocket", marks=pytest.mark.network), pytest.param("serial", marks=pytest.mark.serial)]


@pytest.fixture(params=LINKS)
def settings(request: pytest.FixtureRequest, gateway: Gateway) -> dict[str, Any]:
    """The configuration of an enrolled device named `dut`, over each kind of link."""
    return gateway.enrol(request.param)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, object], None]:
    """Report a figure: in the output, and as a property of the test in a JUnit file."""

    def note(name: str, value: object) -> None:
        print(f"{name}: {value}")
        record_property(name, value)

    return note
