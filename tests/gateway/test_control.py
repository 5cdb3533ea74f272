"""The control socket: rights, requests, errors, one server at a time."""

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.core.errors import LocalError
from eventhive.gateway.control import MAX_REQUEST, ControlServer, NotRunningError, request


def refuse(message: dict[str, Any]) -> dict[str, Any]:
    raise LocalError("not today")


def crash(message: dict[str, Any]) -> dict[str, Any]:
    raise ZeroDivisionError


HANDLERS = {"ping": lambda message: {"pong": message.get("n")}, "refuse": refuse, "crash": crash}


class Running:
    """A server in a loop of its own thread."""

    def __init__(self, path: Path) -> None:
        self.server = ControlServer(path, HANDLERS)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def do(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def end(self) -> None:
        self.do(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.sock"


@pytest.fixture
def running(path: Path) -> Iterator[Running]:
    running = Running(path)
    running.do(running.server.start())
    yield running
    running.end()


def raw(path: Path, data: bytes) -> list[Any]:
    """The answers to bytes that are sent as they are."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            return [json.loads(line) for line in stream]


def test_a_request_is_answered(running: Running, path: Path) -> None:
    assert request(path, "ping", n=5) == {"pong": 5}


def test_several_requests_on_one_connection(running: Running, path: Path) -> None:
    line = b'{"command":"ping","n":%d}\n'
    assert raw(path, line % 1 + line % 2) == [{"ok": True, "pong": 1}, {"ok": True, "pong": 2}]


def test_the_socket_is_the_owners_alone(running: Running, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    running = Running(path)
    try:
        running.do(running.server.start())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)
        running.end()


def test_a_refusal_is_an_error_that_names_the_socket(running: Running, path: Path) -> None:
    with pytest.raises(LocalError, match="not today") as caught:
        request(path, "refuse")
    assert str(path) in str(caught.value)


def test_a_handler_that_fails_is_logged_and_answered(
    running: Running, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LocalError, match="the log of the gateway says why"):
        request(path, "crash")
    assert "ZeroDivisionError" in caplog.text
    assert request(path, "ping") == {"pong": None}


def test_an_unknown_command_names_the_known_ones(running: Running, path: Path) -> None:
    with pytest.raises(LocalError, match="known: crash, ping, refuse"):
        request(path, "reboot")


NONSENSE = [b"hello\n", b"[]\n", b"1\n", b"{}\n", b'{"command":[]}\n', b'{"command":1}\n', b"\xff\n"]


@pytest.mark.parametrize("line", NONSENSE)
def test_nonsense_is_answered(running: Running, path: Path, line: bytes) -> None:
    answers = raw(path, line)
    assert [answer["ok"] for answer in answers] == [False]
    assert request(path, "ping") == {"pong": None}


def test_a_line_without_end_is_not_kept(running: Running, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"x" * (2 * MAX_REQUEST + 2))
        with client.makefile("rb") as stream:
            assert "longer than" in json.loads(stream.readline())["error"]
    assert request(path, "ping") == {"pong": None}


def test_nobody_there(path: Path) -> None:
    with pytest.raises(NotRunningError, match="no gateway is running"):
        request(path, "ping")


def test_a_second_server_is_refused(running: Running, path: Path) -> None:
    second = ControlServer(path, HANDLERS)
    with pytest.raises(LocalError, match="already running"):
        running.do(second.start())
    running.do(second.stop())
    assert request(path, "ping") == {"pong": None}


def test_the_socket_of_a_dead_gateway_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(NotRunningError):
        request(path, "ping")
    running = Running(path)
    running.do(running.server.start())
    assert request(path, "ping") == {"pong": None}
    running.end()
    assert not path.exists()


def test_a_file_in_its_place_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    running = Running(path)
    with pytest.raises(LocalError, match="a file is in its place"):
        running.do(running.server.start())
    running.end()
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    running = Running(tmp_path / "nowhere" / "gateway.sock")
    with pytest.raises(LocalError, match=r"nowhere/gateway\.sock"):
        running.do(running.server.start())
    running.end()


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    running = Running(tmp_path / ("x" * 120))
    with pytest.raises(LocalError, match="too long"):
        running.do(running.server.start())
    running.end()


def test_one_that_does_not_answer(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(LocalError, match="does not answer"):
            request(path, "ping", timeout=0.05)


def test_open_connections_do_not_keep_it(running: Running, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b'{"command":"ping"}\n')
        assert client.recv(100)
        running.do(running.server.stop())
        assert client.recv(100) == b""
