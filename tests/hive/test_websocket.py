"""The websocket drivers against the `websockets` library as the real peer, and against raw bytes."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from websockets.asyncio.client import connect as peer_connect
from websockets.asyncio.server import serve as peer_serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from eventhive.core.errors import LocalError, PeerError
from eventhive.websocket import ClientConnection, Limits, ServerConnection, connect, serve

UPGRADE = (
    b"GET /pubsub HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SMALL = Limits(upgrade_bytes=512, max_message=2000, max_buffered=300_000)
DEADLINE = 10


class Echo(ServerConnection):
    """Answers each message with itself; remembers how it ended."""

    ended: "asyncio.Queue[tuple[int, str]]"

    def message(self, data: "str | bytes") -> None:
        if isinstance(data, str):
            self.send_text(data)
        else:
            self.send_bytes(data)

    def closed(self, code: int, reason: str) -> None:
        self.ended.put_nowait((code, reason))


def with_server(
    test: "Callable[[int, asyncio.Queue[tuple[int, str]]], Coroutine[Any, Any, None]]",
    limits: Limits = SMALL,
    kind: type[Echo] = Echo,
    keepalive: float = 0,
) -> None:
    async def run() -> None:
        ended: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        made: list[Echo] = []

        def factory() -> Echo:
            connection = kind(limits, keepalive)
            connection.ended = ended
            made.append(connection)
            return connection

        server = await serve(factory, "127.0.0.1", 0)
        async with asyncio.timeout(DEADLINE):
            await test(server.sockets[0].getsockname()[1], ended)
        server.close()
        for connection in made:
            connection.abort()
        await asyncio.sleep(0)

    asyncio.run(run())


async def raw(port: int, data: bytes, piece: int = 0) -> bytes:
    """Send bytes, whole or in pieces, and return everything until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at in range(0, len(data), piece or len(data)):
        writer.write(data[at : at + (piece or len(data))])
        await writer.drain()
        if piece:
            await asyncio.sleep(0)
    answer = await reader.read()
    writer.close()
    return answer


def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def test_echo_of_every_length_class_with_the_library_as_client() -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        async with peer_connect(f"ws://127.0.0.1:{port}/any") as peer:
            for size in (0, 1, 125, 126, 127, 1999, 2000):
                await peer.send("é" * (size // 2))
                assert await peer.recv() == "é" * (size // 2)
                await peer.send(bytes(size))
                assert await peer.recv() == bytes(size)
            await peer.send(["frag", "men", "ted"])
            assert await peer.recv() == "fragmented"
            await (await peer.ping())
        assert (await ended.get())[0] == 1000

    with_server(test)


def test_compression_is_never_accepted() -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        async with peer_connect(f"ws://127.0.0.1:{port}/", compression="deflate") as peer:
            assert peer.response is not None
            assert "Sec-WebSocket-Extensions" not in peer.response.headers

    with_server(test)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 0])
def test_same_answer_whole_and_in_pieces(piece: int) -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        sent = (
            frame(Opcode.TEXT, b"one")
            + frame(Opcode.BINARY, b"2" * 300, fin=False)
            + frame(Opcode.PING, b"ping")
            + frame(Opcode.CONT, b"3" * 300)
            + frame(Opcode.BINARY, b"4" * 1500)
            + frame(Opcode.CLOSE, b"\x03\xe8bye")
        )
        answer = await raw(port, UPGRADE + sent, piece)
        body = answer.split(b"\r\n\r\n", 1)[1]
        expected = [
            Frame(Opcode.TEXT, b"one"),
            Frame(Opcode.PONG, b"ping"),
            Frame(Opcode.BINARY, b"2" * 300 + b"3" * 300),
            Frame(Opcode.BINARY, b"4" * 1500),
            Frame(Opcode.CLOSE, b"\x03\xe8bye"),
        ]
        assert body == b"".join(one.serialize(mask=False) for one in expected)
        assert await ended.get() == (1000, "bye")

    with_server(test)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (Frame(Opcode.TEXT, b"x").serialize(mask=False), 1002),
        (b"\x82\xfe\x07\xd1", 1009),
        (b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff", 1009),
        (frame(Opcode.BINARY, bytes(1500), fin=False) + frame(Opcode.CONT, bytes(1500)), 1009),
        (b"\xc2\x80\0\0\0\0", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (frame(Opcode.CONT, b"x"), 1002),
        (frame(Opcode.BINARY, b"x", fin=False) + frame(Opcode.BINARY, b"x"), 1002),
        (frame(Opcode.TEXT, b"\xff"), 1007),
    ],
    # Masks are random, and a test has the same name in each process that runs some.
    ids=[
        "no mask",
        "too long",
        "far too long",
        "too long together",
        "reserved bit",
        "unknown opcode",
        "goes on with nothing",
        "begins in another",
        "not UTF-8",
    ],
)
@pytest.mark.parametrize("piece", [1, 0])
def test_faults_close_with_the_code_of_the_rfc(sent: bytes, code: int, piece: int) -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        data = sent if code != 1007 else sent + frame(Opcode.CLOSE, b"\x03\xef")
        answer = await raw(port, UPGRADE + data, piece)
        assert answer.split(b"\r\n\r\n", 1)[1][2:4] == code.to_bytes(2, "big")
        assert (await ended.get())[0] == code

    with_server(test)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 600, b"431"),
        (UPGRADE.replace(b"Host", b"X: " + b"y" * 600 + b"\r\nHost"), b"431"),
        (b"POST / HTTP/1.1\r\n\r\n", b"405"),
        (b"GET / HTTP/1.1\r\n\r\n", b"426"),
        (UPGRADE.replace(b"/pubsub", b"/refused"), b"404"),
        (b"rubbish\r\n\r\n", b""),
    ],
)
def test_refused_upgrades(sent: bytes, status: bytes) -> None:
    class Checked(Echo):
        def check(self, request: Any) -> "tuple[int, str] | None":
            return (404, "nothing here") if request.path == "/refused" else None

    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        answer = await raw(port, sent)
        assert answer[9:12] == status
        assert (await ended.get())[0] == 1006

    with_server(test, kind=Checked)


def test_an_upgrade_that_never_comes_is_cut_off() -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /")
        assert await ended.get() == (1006, "no upgrade within 0.3 s")
        writer.close()

    with_server(test, Limits(open_seconds=0.3))


def test_a_slow_reader_is_cut_off() -> None:
    class Flood(Echo):
        def message(self, data: "str | bytes") -> None:
            for _ in range(20000):
                self.send_bytes(bytes(2000))

    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(UPGRADE + frame(Opcode.TEXT, b"go"))
        code, reason = await ended.get()
        assert (code, reason[:9]) == (1006, "too slow:")
        client.close()

    with_server(test, kind=Flood)


def test_a_silent_peer_is_cut_off_and_an_answering_one_is_not() -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        async with peer_connect(f"ws://127.0.0.1:{port}/") as answering:
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(UPGRADE)
            code, reason = await ended.get()
            assert code == 1006 and reason.startswith("nothing heard")
            await answering.send("still here")
            assert await answering.recv() == "still here"
            client.close()

    with_server(test, keepalive=0.4)


class Client(ClientConnection):
    """Collects what it receives."""

    def __init__(self) -> None:
        super().__init__(SMALL)
        self.received: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.ended: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    def message(self, data: "str | bytes") -> None:
        self.received.put_nowait(data)

    def closed(self, code: int, reason: str) -> None:
        self.ended.put_nowait((code, reason))


def with_peer(handler: "Callable[[Any], Awaitable[None]]", test: "Callable[[int], Coroutine[Any, Any, None]]") -> None:
    async def run() -> None:
        async with peer_serve(handler, "127.0.0.1", 0) as server, asyncio.timeout(DEADLINE):
            await test(next(iter(server.sockets)).getsockname()[1])

    asyncio.run(run())


def test_client_with_the_library_as_server() -> None:
    async def echo(peer: Any) -> None:
        async for message in peer:
            await peer.send(message)
        assert peer.close_code == 1001

    async def test(port: int) -> None:
        client = await connect(Client, "127.0.0.1", port, "pubsub")
        for message in ("text", b"bytes", "x" * 2000, bytes(1999), ""):
            if isinstance(message, str):
                client.send_text(message)
            else:
                client.send_bytes(message)
            assert await client.received.get() == message
        client.send_text("last")
        client.close(1001, "going")
        assert await client.ended.get() == (1001, "going")

    with_peer(echo, test)


def test_client_is_told_of_a_close_by_the_server() -> None:
    async def leave(peer: Any) -> None:
        await peer.close(1013, "later")

    async def test(port: int) -> None:
        client = await connect(Client, "127.0.0.1", port)
        assert await client.ended.get() == (1013, "later")
        assert not client.is_open

    with_peer(leave, test)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc", "answered '404 Not Found'"),
        (b"HTTP/1.1 101 Whatever\r\n\r\n", "not a websocket's answer"),
        (b"220 mail.example ESMTP\r\n\r\n", "no websocket there"),
        (b"x" * 600, "longer than 512 bytes"),
        (b"", "hung up before the upgrade"),
    ],
)
def test_what_is_no_websocket_server_is_named(answer: bytes, why: str) -> None:
    async def run() -> None:
        async def wrong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(wrong, "127.0.0.1", 0)
        with pytest.raises(PeerError, match=why):
            await connect(Client, "127.0.0.1", server.sockets[0].getsockname()[1])
        server.close()

    asyncio.run(run())


def test_connecting_has_a_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        asyncio.run(connect(Client, "127.0.0.1", silent.getsockname()[1], timeout=0.1))


def test_a_port_in_use_is_named() -> None:
    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        with pytest.raises(LocalError, match=f"127.0.0.1:{port}: another program listens there"):
            await serve(Echo, "127.0.0.1", port)
        with pytest.raises(LocalError, match="no such address"):
            await serve(Echo, "192.0.2.1", 0)

    with_server(test)


def test_refusal_reaches_the_library_as_its_own_error() -> None:
    class Closed(Echo):
        def check(self, request: Any) -> "tuple[int, str] | None":
            return 403, "browsers are not welcome"

    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        with pytest.raises(InvalidStatus) as caught:
            await peer_connect(f"ws://127.0.0.1:{port}/")
        assert bytes(caught.value.response.body or b"") == b"browsers are not welcome\n"

    with_server(test, kind=Closed)


def test_server_side_close_is_seen_by_the_peer() -> None:
    class Leaving(Echo):
        def message(self, data: "str | bytes") -> None:
            self.send_text("bye")
            self.close(1008, "é" * 100)
            self.send_text("never sent")

    async def test(port: int, ended: "asyncio.Queue[tuple[int, str]]") -> None:
        async with peer_connect(f"ws://127.0.0.1:{port}/") as peer:
            await peer.send("hello")
            assert await peer.recv() == "bye"
            with pytest.raises(ConnectionClosed) as caught:
                await peer.recv()
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "é" * 61)
        assert (await ended.get())[0] == 1008

    with_server(test, kind=Leaving)
