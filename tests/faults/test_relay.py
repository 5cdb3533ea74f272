"""What the relay of the checker does to TCP connections, in front of a server that echoes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from eventhive.cli.chaos.relay import TcpRelay

DEADLINE = 10

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Streams]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


def relayed(test: Callable[[TcpRelay, Dial], Awaitable[None]]) -> None:
    """Run a test with a relay, and a way to connect through it."""

    async def run() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        relay = TcpRelay(server.sockets[0].getsockname()[1])
        await relay.start()
        async with asyncio.timeout(DEADLINE):
            await test(relay, lambda: asyncio.open_connection("127.0.0.1", relay.port))
        relay.close()
        server.close()

    asyncio.run(run())


async def answered(streams: Streams, data: bytes) -> bytes:
    streams[1].write(data)
    return await streams[0].readexactly(len(data))


def test_what_passes_is_as_it_was() -> None:
    async def test(relay: TcpRelay, dial: Dial) -> None:
        assert await answered(await dial(), b"untouched") == b"untouched"

    relayed(test)


def test_what_is_late_keeps_its_order() -> None:
    async def test(relay: TcpRelay, dial: Dial) -> None:
        one = await dial()
        assert await answered(one, b"0") == b"0"
        relay.harm.kind = "delay"
        one[1].write(b"first ")
        await one[1].drain()
        other = await dial()
        assert await answered(other, b"x") == b"x"
        relay.harm.kind = ""
        one[1].write(b"second")
        assert await one[0].readexactly(12) == b"first second"

    relayed(test)


def test_a_cut_within_what_was_sent() -> None:
    async def test(relay: TcpRelay, dial: Dial) -> None:
        one = await dial()
        assert await answered(one, b"0") == b"0"
        relay.harm.kind = "cut"
        one[1].write(b"123456789")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await one[0].readexactly(9)
        assert relay.harm.kind == ""
        assert await answered(await dial(), b"new") == b"new"

    relayed(test)


def test_a_mute_connection_stays_open_and_mute_and_new_ones_are_not() -> None:
    async def test(relay: TcpRelay, dial: Dial) -> None:
        one = await dial()
        assert await answered(one, b"0") == b"0"
        relay.swallow()
        one[1].write(b"lost")
        await one[1].drain()
        other = await dial()
        assert await answered(other, b"heard") == b"heard"
        waiting = asyncio.ensure_future(one[0].read(1))
        assert await answered(other, b"again") == b"again"
        assert not waiting.done()
        relay.cut()
        with contextlib.suppress(ConnectionError):
            assert await waiting == b""

    relayed(test)
