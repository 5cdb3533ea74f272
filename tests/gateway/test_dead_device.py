"""A device that vanished without a word, over both carriers: the gateway knows after two of its heartbeats.

The carriers' own drivers, with the time passed in. The device's end is in `tests/core/test_pump.py`.
"""

import asyncio
import fcntl
import os
import pty
import struct
import termios
import tty
from collections.abc import Iterator

import pytest
from pure import HEARTBEAT_S, Stand
from second_implementation import Device, Wire, line
from websockets.asyncio.client import connect

from eventhive.gateway.daemon import passed_ms
from eventhive.gateway.serial_link import SerialLink
from eventhive.gateway.websocket_link import WebsocketLinks
from eventhive.serial_config import SerialPort
from eventhive.websocket import serve

GONE_MS = 2 * HEARTBEAT_S * 1000
OPEN = b"[0,%d]" % HEARTBEAT_S
DEADLINE = 10
WHY = "device a: offline: running: nothing heard for 40 s"


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", "eventhive.gateway")
    return caplog


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """A line: descriptors of the gateway's end, and of the device's."""
    device, gateway = pty.openpty()
    tty.setraw(gateway)
    yield gateway, device
    os.close(device)
    os.close(gateway)


def test_over_a_websocket(stand: Stand, log: pytest.LogCaptureFixture) -> None:
    async def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, 100)
        server = await serve(links, "127.0.0.1", 0)
        own = Device("a", stand.entries["a"].key)
        async with (
            asyncio.timeout(DEADLINE),
            connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/device", ping_interval=None) as client,
        ):
            challenge = await client.recv()
            assert isinstance(challenge, bytes)
            hello = own.hello()
            up, _ = own.directions(challenge, hello)
            await client.send(hello)
            await client.send(up.seal(OPEN))
            await client.recv()
            session = stand.device("a").session
            assert session is not None
            links.tick(GONE_MS - 1)
            assert session.closed is None
            links.tick(1)
            assert session.closed == "running: nothing heard for 40 s"
            await client.wait_closed()
        server.close()

    asyncio.run(visit())
    assert log.messages[-1] == WHY


def test_over_a_serial_line(stand: Stand, log: pytest.LogCaptureFixture, ends: tuple[int, int]) -> None:
    async def visit() -> None:
        link = SerialLink(stand.bridge, SerialPort(os.ttyname(ends[0])), os.ttyname(ends[0]))
        running = asyncio.create_task(link.run())
        async with asyncio.timeout(DEADLINE):
            await asyncio.to_thread(begin, Device("a", stand.entries["a"].key), Wire(ends[1]))
            while unread(ends[0]):
                await asyncio.sleep(0)
            link.tick(GONE_MS - 1)
            assert stand.device("a").session is not None
            link.tick(1)
            assert stand.device("a").session is None
            link.stop()
            await running

    asyncio.run(visit())
    assert WHY in log.messages


def test_a_gateway_that_was_held_up_blames_nobody(stand: Stand) -> None:
    """A suspended machine, say: what devices sent meanwhile was not read yet."""
    board = stand.board("a").connect()
    session = stand.device("a").session
    assert session is not None
    for tick in range(3):
        session.tick(passed_ms(3600.0 * tick, 3600.0 * (tick + 1)))
    assert session.closed is None
    assert passed_ms(7.0, 7.25) == 250
    for _ in range(GONE_MS // passed_ms(0.0, 0.5)):
        session.tick(passed_ms(0.0, 0.5))
    assert session.closed == WHY.partition("offline: ")[2]
    assert board.end.session is session


def unread(end: int) -> int:
    """Bytes on the line that the gateway has not read."""
    count: int = struct.unpack("i", fcntl.ioctl(end, termios.FIONREAD, bytes(4)))[0]
    return count


def begin(own: Device, wire: Wire) -> None:
    """The hand-shake of a device on a serial line."""
    answer = None
    while answer is None:
        # The port may not be open yet.
        wire.write(line("R", 0, 0))
        answer = wire.read(0.1)
    assert answer[0] == "C"
    hello = own.hello(limit=512)
    up, _ = own.directions(answer[3], hello)
    wire.write(line("H", 0, 0, hello))
    wire.write(line("D", 1, 0, up.seal(OPEN)))
    while answer[0] != "D":
        answer = wire.read()
        assert answer is not None
    wire.write(line("A", 0, 1))
