"""A peer that vanished without a word, between processes: both ends know within two keep-alive intervals.

Sockets are real, and the loop's time is moved by the test.
"""

import asyncio
import heapq
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from eventhive.connectors.base import KEEPALIVE_SECONDS
from eventhive.connectors.websocket import WebsocketConnector
from eventhive.servers import peer
from eventhive.websocket import ClientConnection, ServerConnection, connect, serve

UPGRADE = (
    b"GET /pubsub HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
WHY = f"nothing heard within {2 * KEEPALIVE_SECONDS:g} s"

# Iterations of the loop after which what was sent on this machine has arrived, and timers have run.
TURNS = 50


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._times: list[float] = []
        super().__init__()

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        heapq.heappush(self._times, when)
        return super().call_at(when, callback, *args, context=context)

    async def turn(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def move(self, seconds: float) -> None:
        """Let time pass, from timer to timer."""
        end = self.now + seconds
        while self._times and self._times[0] <= end:
            self.now = max(self.now, heapq.heappop(self._times))
            await self.turn()
        self.now = end
        await self.turn()


@pytest.fixture
def clock() -> Iterator[Clock]:
    loop = Clock()
    yield loop
    loop.close()


class Server(ServerConnection):
    def __init__(self) -> None:
        super().__init__(keepalive=KEEPALIVE_SECONDS)
        self.why = ""

    def closed(self, code: int, reason: str) -> None:
        self.why = reason


class Client(ClientConnection):
    def __init__(self) -> None:
        super().__init__(keepalive=KEEPALIVE_SECONDS)
        self.why = ""

    def closed(self, code: int, reason: str) -> None:
        self.why = reason


class Vanished:
    """A server that does the upgrade, answers what `answer` does, and is never heard of again."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.received = b""

    async def start(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        (request,) = protocol.events_received()
        protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]
        for data in protocol.data_to_send():
            writer.write(data)
        while data := await reader.read(4096):
            self.received += data


def on_both_ends(clock: Clock, test: Callable[[Server, Client], Awaitable[None]]) -> None:
    """Run a test with the two ends of one connection."""

    async def run() -> None:
        made: list[Server] = []

        def factory() -> Server:
            made.append(Server())
            return made[-1]

        server = await serve(factory, "127.0.0.1", 0)
        client = await connect(Client, "127.0.0.1", server.sockets[0].getsockname()[1])
        await test(made[0], client)
        client.abort()
        made[0].abort()
        server.close()
        await clock.turn()

    clock.run_until_complete(run())


@pytest.mark.parametrize("late", [0, 0.1, KEEPALIVE_SECONDS / 2 - 0.1])
def test_a_server_knows_that_its_client_vanished(clock: Clock, late: float) -> None:
    async def run() -> None:
        made: list[Server] = []

        def factory() -> Server:
            made.append(Server())
            return made[-1]

        server = await serve(factory, "127.0.0.1", 0)
        with socket.create_connection(("127.0.0.1", server.sockets[0].getsockname()[1])) as client:
            client.sendall(UPGRADE)
            await clock.turn()
            await clock.move(late)
            client.sendall(Frame(Opcode.TEXT, b"the last one").serialize(mask=True))
            await clock.turn()
            await clock.move(1.5 * KEEPALIVE_SECONDS - 1)
            assert made[0].is_open
            await clock.move(KEEPALIVE_SECONDS / 2 + 1)
            assert made[0].why == WHY
        server.close()

    clock.run_until_complete(run())


def test_a_client_knows_that_its_server_vanished(clock: Clock) -> None:
    async def run() -> None:
        vanished = Vanished()
        client = await connect(Client, "127.0.0.1", await vanished.start())
        await clock.move(KEEPALIVE_SECONDS)
        assert client.is_open
        assert vanished.received[0] == 0x80 | Opcode.PING
        await clock.move(KEEPALIVE_SECONDS)
        assert client.why == WHY
        vanished.stop()
        await clock.turn()

    clock.run_until_complete(run())


def test_a_connector_knows_that_its_hive_vanished_and_connects_again(clock: Clock) -> None:
    async def run() -> None:
        vanished = Vanished()
        port = await vanished.start()
        connector = WebsocketConnector("net", "127.0.0.1", port, "/pubsub", "ws")
        connector.start()
        await clock.turn()
        assert len(vanished.writers) == 1
        await clock.move(2 * KEEPALIVE_SECONDS)
        assert connector.state == f"waiting for ws://127.0.0.1:{port}/pubsub: {WHY}"
        await clock.move(KEEPALIVE_SECONDS / 2)
        assert len(vanished.writers) == 2
        await connector.stop(0)
        vanished.stop()
        await clock.turn()

    clock.run_until_complete(run())


def test_both_ends_use_the_same_interval() -> None:
    assert peer.KEEPALIVE_SECONDS == KEEPALIVE_SECONDS


def test_idle_ends_keep_each_other_alive(clock: Clock) -> None:
    async def test(server: Server, client: Client) -> None:
        await clock.move(10 * KEEPALIVE_SECONDS)
        assert server.is_open and client.is_open

    on_both_ends(clock, test)


def test_who_does_not_read_is_heard_and_gives_nobody_up(clock: Clock) -> None:
    async def test(server: Server, client: Client) -> None:
        client.pause()
        await clock.move(10 * KEEPALIVE_SECONDS)
        assert server.is_open and client.is_open
        client.resume()
        await clock.move(10 * KEEPALIVE_SECONDS)
        assert server.is_open and client.is_open

    on_both_ends(clock, test)
