"""The websocket client of a board, on MicroPython, against the websockets library and servers that misbehave."""

import base64
import contextlib
import hashlib
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from boards import DEADLINE_S, HEAP
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

LIMIT = 1024

# Sends back what it gets, and tells how it ended.
ECHO = """
import asyncio, os, sys
from eventhive.ws_connect import connect

async def main(port, tries):
    where = {"name": "127.0.0.1:%d" % port, "host": "127.0.0.1", "port": port, "endpoint": "/device"}
    for _ in range(tries):
        try:
            link = await connect(where, 1024)
            try:
                while True:
                    link.send(await link.receive())
                    await link.drain()
            finally:
                link.close("over")
        except Exception as error:
            print("%s: %s" % (type(error).__name__, error))
    print("files", len(os.listdir("/proc/self/fd")))

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


@pytest.fixture
def client(tree: Path) -> Callable[..., list[str]]:
    """Run the client until it has ended; returns how it did, and the number of its open files."""

    def run(port: int, tries: int = 1) -> list[str]:
        command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", "-c", ECHO, str(port), str(tries)]
        environment = {**os.environ, "MICROPYPATH": f"{tree}:.frozen"}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


class Peer:
    """A server of the library for one connection, which runs `script(connection)`; `result` is what that returned."""

    def __init__(self, script: Callable[[ServerConnection], object]):
        self._script = script
        self._done = threading.Event()
        self._server = serve(self._handle, "127.0.0.1", 0, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.port = self._server.socket.getsockname()[1]

    def _handle(self, connection: ServerConnection) -> None:
        try:
            self.result = self._script(connection)
        except ConnectionClosed as end:
            self.result = end.rcvd.code if end.rcvd else None
        finally:
            self._done.set()

    def end(self) -> object:
        """What the script gave, once it has ended."""
        assert self._done.wait(DEADLINE_S)
        self._server.shutdown()
        self._thread.join(DEADLINE_S)
        return self.result


def test_messages_of_every_length_class(client: Callable[..., list[str]]) -> None:
    sizes = (0, 1, 3, 125, 126, 127, 255, 256, 257, 511, 512, 1023, LIMIT)

    def script(connection: ServerConnection) -> list[int]:
        good = []
        for size in sizes:
            data = os.urandom(size)
            connection.send(data)
            if connection.recv(DEADLINE_S) == data:
                good.append(size)
        return good

    peer = Peer(script)
    assert client(peer.port)[0] == "EOFError: the gateway closed the websocket: 1000"
    assert peer.end() == list(sizes)


def test_fragments_with_a_ping_between_them(client: Callable[..., list[str]]) -> None:
    def script(connection: ServerConnection) -> tuple[object, bool]:
        def fragments() -> Iterator[bytes]:
            yield b"one "
            pong.append(connection.ping(b"between"))
            yield b""
            yield b"message"

        pong: list[threading.Event] = []
        connection.send(fragments())
        return connection.recv(DEADLINE_S), pong[0].wait(DEADLINE_S)

    peer = Peer(script)
    client(peer.port)
    assert peer.end() == (b"one message", True)


@pytest.mark.parametrize("payload", [b"", b"x" * 125])
def test_a_ping_is_answered(client: Callable[..., list[str]], payload: bytes) -> None:
    peer = Peer(lambda connection: connection.ping(payload).wait(DEADLINE_S))
    client(peer.port)
    assert peer.end()


@pytest.mark.parametrize("code", [1001, 1008, 4321])
def test_the_code_of_a_close_is_told(client: Callable[..., list[str]], code: int) -> None:
    peer = Peer(lambda connection: connection.close(code, "a reason"))
    assert client(peer.port)[0] == f"EOFError: the gateway closed the websocket: {code}"
    peer.end()


@pytest.mark.parametrize(
    ("message", "code", "error"),
    [
        (bytes(LIMIT + 1), 1009, f"websocket message longer than {LIMIT} bytes"),
        (bytes(70_000), 1009, f"websocket message longer than {LIMIT} bytes"),
        ([bytes(600), bytes(425)], 1009, f"websocket message longer than {LIMIT} bytes"),
        ("text", 1003, "unexpected websocket frame, opcode 1"),
    ],
)
def test_what_it_does_not_take_closes_with_a_code(
    client: Callable[..., list[str]], message: "str | bytes | list[bytes]", code: int, error: str
) -> None:
    def script(connection: ServerConnection) -> object:
        connection.send(message)
        return connection.recv(DEADLINE_S)

    peer = Peer(script)
    assert client(peer.port)[0] == f"OSError: {error}"
    # The rest of the message is read by nobody, which may reset the connection before the code arrives.
    assert peer.end() in (code, None)


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers each request with bytes of our own making, and hangs up after the client has."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(DEADLINE_S)
    got: list[bytes] = []

    def one(connection: socket.socket) -> None:
        connection.settimeout(DEADLINE_S)
        with connection, contextlib.suppress(OSError):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(4096)
            connection.sendall(answer(request))
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(4096):
                got.append(data)

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                one(server.accept()[0])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server.getsockname()[1], got
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE_S)
        server.close()


def accepted(request: bytes, rest: bytes = b"") -> bytes:
    """A correct answer, and what follows it at once."""
    key = next(line[19:] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: "))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return b"HTTP/1.1 101 Switching Protocols\r\nSEC-WEBSOCKET-ACCEPT: " + accept + b"\r\n\r\n" + rest


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        # Nothing stands behind what is wrong: input that nobody reads resets a connection, and the code is lost.
        (b"\xc2\x00", 1002),
        (b"\x82\x80", 1002),
        (b"\x82\xff", 1002),
        (b"\x09\x00", 1002),
        (b"\x80\x00", 1002),
        (b"\x02\x00\x82\x00", 1002),
        (b"\x81\x00", 1003),
        (b"\x89\x7e\x00\x7e", 1009),
        (b"\x82\x7e\x04\x01", 1009),
        (b"\x82\x7f", 1009),
    ],
)
def test_frames_out_of_rules(client: Callable[..., list[str]], frame: bytes, code: int) -> None:
    with answering(lambda request: accepted(request, frame)) as (port, got):
        ended = client(port)[0]
    assert ended.startswith("OSError: ")
    sent = b"".join(got)
    mask = sent[2:6]
    assert sent[:2] == b"\x88\x82"
    assert int.from_bytes(bytes(byte ^ mask[at] for at, byte in enumerate(sent[6:8])), "big") == code


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "OSError: 127.0.0.1:{port}/device answers HTTP/1.1 404"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "OSError: 127.0.0.1:{port}/device answers SSH-2.0-Open"),
        (
            b"\xff\xfe\x00\x1b[2J" * 9,
            "OSError: 127.0.0.1:{port}/device answers \\xff\\xfe\\x00\\x1b[2J\\xff\\xfe\\x00\\x1b[",
        ),
        (b"x" * 300_000, "OSError: 127.0.0.1:{port}/device answers xxxxxxxxxxxx"),
        (b"HTTP/1.1 101 OK\r\n\r\n", "OSError: 127.0.0.1:{port} is no websocket server"),
        (
            b"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "OSError: 127.0.0.1:{port} is no websocket server",
        ),
        (b"HTTP/1.1 101 OK\r\nA: b\r\n", "OSError: the answer to the websocket request is cut short or too long"),
        (
            b"HTTP/1.1 101 OK\r\n" + b"A: b\r\n" * 1000,
            "OSError: the answer to the websocket request is cut short or too long",
        ),
        (
            b"HTTP/1.1 101 OK\r\nA: " + b"x" * 300_000,
            "OSError: the answer to the websocket request is cut short or too long",
        ),
        (b"HTTP", "EOFError: "),
        (b"", "EOFError: "),
    ],
)
def test_what_is_no_gateway_is_named(client: Callable[..., list[str]], answer: bytes, error: str) -> None:
    with answering(lambda request: answer) as (port, _):
        assert client(port)[0] == error.format(port=port)


def test_a_failed_connection_costs_nothing(client: Callable[..., list[str]]) -> None:
    """Neither a refused upgrade nor a closed websocket leaves its socket open."""
    with answering(lambda request: b"HTTP/1.1 503 Busy\r\n\r\n") as (port, _):
        assert client(port, 1)[-1] == client(port, 20)[-1]
    with answering(lambda request: accepted(request, b"\x82\x01x\x88\x02\x03\xe8")) as (port, _):
        assert client(port, 1)[-1] == client(port, 20)[-1]


def test_nobody_there(client: Callable[..., list[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert client(port)[0] == "OSError: [Errno 111] ECONNREFUSED"
