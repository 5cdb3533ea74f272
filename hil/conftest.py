"""Hardware in the loop: the same tests for each kind of device, with a real gateway and a real hive in front of it.

`pytest hil` runs them on devices without hardware, `--target` and `--boards` name others (docs/hil.md). Tests wait for
lines and events, never for time to pass.
"""

import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.device.stage import PARTS, stage
from hil.lib.hub import Gateway, Listener, Server
from hil.lib.summary import Summary
from hil.targets.base import CAPABILITIES, Target
from hil.targets.names import PLAIN, make, read_boards

TARGETS = pytest.StashKey[list[Target]]()
SUMMARY = pytest.StashKey[Summary]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hardware in the loop")
    group.addoption("--target", action="append", default=[], metavar="TARGET", help="a device; may be given repeatedly")
    group.addoption("--boards", metavar="FILE", type=Path, help="all boards of a file: boards.yaml of docs/hil.md")
    group.addoption("--host", default="", metavar="ADDRESS", help="the address of this machine for a board's network")
    group.addoption("--wifi", default="", metavar="FILE", help="ssid and password of the network of a board, mode 600")
    group.addoption("--summary", metavar="FILE", type=Path, help="write a table of boards and tests, in Markdown")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in CAPABILITIES.items():
        config.addinivalue_line("markers", f"{name}: for devices whose target {meaning}")

    boards = config.getoption("boards")
    found = read_boards(boards) if boards else []
    names = config.getoption("target") or ([] if boards else default_targets())
    host, wifi = config.getoption("host"), config.getoption("wifi")
    config.stash[TARGETS] = found + [make(name, host, wifi) for name in names]
    config.stash[SUMMARY] = Summary()


def default_targets() -> list[str]:
    """What a run without a word about targets has: all that need nothing but this machine."""
    firmware = os.environ.get("EVENTHIVE_HIL_UF2")
    return [*PLAIN, *([f"emulator:{firmware}"] if firmware else [])]


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
def target(
    request: pytest.FixtureRequest, tree: Path, record_testsuite_property: Callable[[str, object], None]
) -> Iterator[Target]:
    """The device of this and the following tests, taken for this run alone."""
    one: Target = request.param
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        # Who waits for a board that somebody else has is told so at once.
        with capture.global_and_fixture_disabled():
            one.open(tree)
        for name, value in facts(one).items():
            record_testsuite_property(f"{one.name}: {name}", value)
        yield one
    finally:
        one.close()


def facts(target: Target) -> dict[str, object]:
    """What a report says of a target, and of what was tested on it."""
    return {"firmware": target.facts.firmware, "heap": target.facts.heap, "commit": commit()}


def commit() -> str:
    """The commit of this checkout."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, pytest.Function) and isinstance(one := item.callspec.params.get("target"), Target):
        test = item.nodeid.partition("::")[2].replace(f"-{one.name}]", "]").replace(f"[{one.name}]", "")
        item.config.stash[SUMMARY].add(one.name, test, report.outcome)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if path := session.config.getoption("summary"):
        stash = session.config.stash
        stash[SUMMARY].write(path, {one.name: facts(one) for one in stash[TARGETS]})


@pytest.fixture
def dut(
    request: pytest.FixtureRequest, target: Target, tmp_path: Path, record_property: Callable[[str, object], None]
) -> Iterator[Target]:
    """The device under test; the test's markers say what it has to have."""
    record_property("board", target.name)
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
