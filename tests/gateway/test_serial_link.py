"""A serial port of the gateway, in this process, at a pseudo-terminal."""

import asyncio
import logging
import os
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
from pure import Stand
from second_implementation import line

from eventhive.gateway.kept_port import READ_BYTES, UNWRITTEN_BYTES
from eventhive.gateway.serial_link import CONSOLE_LINES, SerialLink
from eventhive.serial_config import SerialPort

# Longer than a busy machine takes; nothing waits this long when all is well.
DEADLINE = 20.0

READY = line("R", 0, 0)


@pytest.fixture
def port() -> Iterator[tuple[int, str]]:
    """The far end of a line, and the path of the near one."""
    far, near = os.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    yield far, os.ttyname(near)
    os.close(far)
    os.close(near)


def with_link(path: str, test: Callable[[SerialLink], Awaitable[None]]) -> None:
    """Run a test while the port is open."""

    async def run() -> None:
        link = SerialLink(Stand().bridge, SerialPort(path), path)
        task = asyncio.create_task(link.run())
        async with asyncio.timeout(DEADLINE):
            await until(lambda: link.state == "open")
            await test(link)
            link.stop()
            await task

    asyncio.run(run())


async def until(happened: Callable[[], object]) -> None:
    while not happened():
        await asyncio.sleep(0)


async def write(far: int, data: bytes) -> None:
    """All of the data, as fast as it is taken."""
    while data:
        with suppress(BlockingIOError):
            data = data[os.write(far, data) :]
        await asyncio.sleep(0)


def read(far: int) -> bytes:
    """What is there."""
    try:
        return os.read(far, 4096)
    except BlockingIOError:
        return b""


def test_nobody_reads(port: tuple[int, str]) -> None:
    far, path = port

    async def test(link: SerialLink) -> None:
        # Each of them is answered, with three times as much.
        for _ in range(20):
            await write(far, READY * 1000)
            assert len(link._unwritten) < UNWRITTEN_BYTES + 4 * READ_BYTES
        await until(lambda: len(link._unwritten) > UNWRITTEN_BYTES)
        # When somebody reads again, the line goes on.
        while link._unwritten or read(far):
            read(far)
            await asyncio.sleep(0)
        await write(far, READY)
        got = bytearray()
        while b"#>CAA" not in got:
            got += read(far)
            await asyncio.sleep(0)

    with_link(path, test)


def test_a_chatty_board(port: tuple[int, str], caplog: pytest.LogCaptureFixture) -> None:
    far, path = port
    caplog.set_level(logging.INFO, "eventhive")

    async def test(link: SerialLink) -> None:
        await write(far, b"measuring\r\n" * (CONSOLE_LINES + 1000) + READY)
        await until(lambda: link._challenged)

    with_link(path, test)
    assert len([text for text in caplog.messages if text.endswith(": measuring")]) == CONSOLE_LINES
