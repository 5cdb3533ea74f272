"""Accepting: who comes too fast waits, who may not come is sent away, and both cost the others nothing."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from eventhive.websocket import listener
from eventhive.websocket.listener import Listener, bound

# Longer than a busy machine takes; nothing waits this long when all is well.
DEADLINE = 20.0

BURST = 6


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time stands still but for what it is moved by."""

    at = 1000.0

    def time(self) -> float:
        return self.at


class Taken(asyncio.Protocol):
    """Counts those that were let in."""

    hosts: list[str]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.hosts.append(transport.get_extra_info("peername")[0])
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.transport.close()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    monkeypatch.setattr(listener, "BURST", BURST)
    loop = Clock()
    yield loop
    loop.close()


async def settle(rounds: int = 50) -> None:
    """Let the loop do what it can do without time."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def test_who_comes_too_fast_waits(loop: Clock) -> None:
    async def visit() -> list[int]:
        Taken.hosts = []
        listening = Listener(await bound("127.0.0.1", 0), Taken, None, None)
        port = listening.sockets[0].getsockname()[1]
        counts = []
        with ExitStack() as stack:
            for _ in range(BURST + 4):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE))
            for seconds in (0.0, listener.PACE_S, 1 / listener.ACCEPTS_PER_S, 60.0):
                loop.at += seconds
                await settle()
                counts.append(len(Taken.hosts))
            listening.close()
        return counts

    counts = loop.run_until_complete(visit())
    assert counts[0] == BURST
    assert BURST < counts[-1] == BURST + 4
    assert counts == sorted(counts)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more than one loopback address")
def test_who_may_not_come_takes_nobodys_place(loop: Clock) -> None:
    async def visit() -> int:
        Taken.hosts = []
        listening = Listener(await bound("127.0.0.1", 0), Taken, None, lambda host: host != "127.0.0.2")
        port = listening.sockets[0].getsockname()[1]
        with ExitStack() as stack:
            for _ in range(3 * BURST):
                one = stack.enter_context(socket.socket())
                one.bind(("127.0.0.2", 0))
                one.connect(("127.0.0.1", port))
            stack.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE))
            await settle()
            one.settimeout(DEADLINE)
            assert one.recv(1) == b""
            listening.close()
        return len(Taken.hosts)

    assert loop.run_until_complete(visit()) == 1
    assert Taken.hosts == ["127.0.0.1"]


def test_a_closed_one_does_not_come_back(loop: Clock) -> None:
    async def visit() -> int:
        Taken.hosts = []
        listening = Listener(await bound("127.0.0.1", 0), Taken, None, None)
        port = listening.sockets[0].getsockname()[1]
        with ExitStack() as stack:
            for _ in range(BURST + 1):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE))
            await settle()
            # It waits until more may come.
            listening.close()
            loop.at += 60.0
            await settle()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), DEADLINE)
        return len(Taken.hosts)

    assert loop.run_until_complete(visit()) == BURST
