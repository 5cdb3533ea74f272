"""A gateway under a service manager: what it tells over a real notify socket, and how it logs for the journal."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from manager import Manager

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60

CONFIG = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: gateway}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
  serial: [{port: NOWHERE}]
"""


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = str(tmp_path / "notify") if request.param == "file" else f"@eventhive-test-{os.getpid()}"
    manager = Manager(name)
    yield manager
    manager.close()


class Running:
    """A gateway with this environment, its stderr being a socket, as under systemd."""

    def __init__(self, folder: Path, *words: str, journal: bool = False, **environment: str):
        (folder / "gateway.yaml").write_text(CONFIG.replace("NOWHERE", str(folder / "no-port")))
        # A file is no port: that is a warning.
        (folder / "no-port").touch()
        ours, theirs = socket.socketpair()
        if journal:
            found = os.fstat(theirs.fileno())
            environment["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "eventhive", "gateway", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        theirs.close()
        ours.settimeout(DEADLINE_S)
        self._errors = ours.makefile("r")
        self._lines: list[str] = []
        ours.close()

    def ready(self) -> None:
        assert self.process.stdout
        assert "ready" in self.process.stdout.readline()

    def expect(self, text: str) -> None:
        """Wait for a line on stderr."""
        while not self._lines or text not in self._lines[-1]:
            line = self._errors.readline()
            assert line, self._lines
            self._lines.append(line.rstrip("\n"))

    def end(self) -> tuple[int, list[str]]:
        self.process.send_signal(signal.SIGTERM)
        lines = self._lines + self._errors.read().splitlines()
        self._errors.close()
        code = self.process.wait(DEADLINE_S)
        assert self.process.stdout
        self.process.stdout.close()
        return code, lines


def test_the_manager_is_told(manager: Manager, tmp_path: Path) -> None:
    running = Running(tmp_path, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="600000")
    ready = manager.expect("READY")
    assert ready["READY"] == "1" and "network my-hive" in ready["STATUS"]
    for _ in range(3):
        assert manager.told() == {"WATCHDOG": "1"}
    running.process.send_signal(signal.SIGTERM)
    assert manager.expect("STOPPING")["STOPPING"] == "1"
    assert running.end()[0] == 0


def answer(loop: socket.socket) -> None:
    """Answer whoever asks, until this is shut down; those who have gone away in the meantime too."""
    with suppress(OSError):
        while True:
            asked = loop.accept()[0]
            with asked, suppress(OSError):
                asked.recv(100)
                asked.sendall(b'{"ok": true}\n')


MUTE = """
import logging, sys
from pathlib import Path
from eventhive.cli.gateway.service import Service
from eventhive.gateway.notify import Notifier
logging.basicConfig()
Service(Path(sys.argv[1]), Notifier()).serve("mute")
"""


@pytest.mark.parametrize("manager", ["file"], indirect=True)
def test_a_loop_that_is_behind_gives_no_sign_of_life(manager: Manager, tmp_path: Path) -> None:
    loop = socket.socket(socket.AF_UNIX)
    loop.bind(str(tmp_path / "control"))
    loop.listen()
    process = subprocess.Popen(
        [sys.executable, "-c", MUTE, str(tmp_path / "control")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "600000"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    assert manager.told()["READY"] == "1"
    for _ in range(2):
        assert "no sign of life" in process.stderr.readline()
    manager.drained()
    answering = threading.Thread(target=answer, args=(loop,))
    answering.start()
    assert manager.told() == {"WATCHDOG": "1"}
    process.terminate()
    assert process.wait(DEADLINE_S) == 0
    process.stderr.close()
    loop.shutdown(socket.SHUT_RDWR)
    answering.join(DEADLINE_S)
    loop.close()


@pytest.mark.parametrize("manager", ["file"], indirect=True)
def test_another_process_is_watched(manager: Manager, tmp_path: Path) -> None:
    running = Running(tmp_path, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="30000", WATCHDOG_PID="1")
    manager.expect("READY")
    # Another process, for many times as long as signs are apart.
    command = [sys.executable, "-m", "eventhive", "gateway", "status"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=DEADLINE_S)
    running.process.send_signal(signal.SIGTERM)
    assert "STOPPING" in manager.told()
    assert running.end()[0] == 0


def test_the_journal_gets_priorities(tmp_path: Path) -> None:
    running = Running(tmp_path, journal=True)
    running.ready()
    running.expect("serial port ")
    code, lines = running.end()
    assert code == 0
    assert [line for line in lines if line.startswith("<4>eventhive.gateway: serial port ")]
    assert [line for line in lines if line.startswith("<6>eventhive.gateway: devices connect to ")]
    assert all(line.startswith("<") for line in lines)


def test_what_is_no_journal_gets_text(tmp_path: Path) -> None:
    running = Running(tmp_path, JOURNAL_STREAM="1:2")
    running.ready()
    code, lines = running.end()
    assert code == 0 and lines and not [line for line in lines if line.startswith("<")]


def test_json(tmp_path: Path) -> None:
    running = Running(tmp_path, "--log-format", "json")
    running.ready()
    running.expect("serial port ")
    code, lines = running.end()
    found = [json.loads(line) for line in lines]
    assert code == 0
    assert [one for one in found if one["level"] == "warning" and one["message"].startswith("serial port ")]
    assert all(one["time"] > 1e9 and one["logger"] for one in found)
