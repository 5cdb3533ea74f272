"""Accepting connections: few in one iteration of the loop, so that those that are open are served in between.

asyncio's own server takes as many at once as may wait, and where descriptors have run out it logs as many tracebacks.
"""

import asyncio
import errno
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ..bounded_log import PerMinute

try:
    import resource
except ImportError:
    # Windows has no such limit.
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from ssl import SSLContext

# Connections that the kernel holds until the loop accepts them: a fleet returns at once after an outage.
BACKLOG = 1024

# In one iteration: however many strangers come, between any two of them all that are open are served.
ACCEPTS = 2

# A second, in the long run, and at once: a fleet gets in as it comes, and a flood costs those that are open a tenth.
ACCEPTS_PER_S = 500
BURST = 1024

# How long those wait who come faster.
PACE_S = 0.02

# When no more can be opened, how long until it is tried again.
PAUSE_S = 1.0

# Descriptors that connections leave to the rest of the process: hooks, modules, key files and databases need some.
RESERVED = 16

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

logger = logging.getLogger("eventhive")


class Listener:
    """Listens on bound `sockets`; each connection gets a protocol of its own from `factory`.

    `admits(host)`, if given, is asked first: where it says no, the connection is closed at once.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        factory: Callable[[], asyncio.BaseProtocol],
        tls: "SSLContext | None",
        admits: Callable[[str], bool] | None,
    ):
        self.sockets = sockets
        self._factory = factory
        self._tls = tls
        self._admits = admits
        self._loop = asyncio.get_running_loop()
        self._told = PerMinute(self._loop.time)
        self._free = descriptors() - RESERVED
        self._allowed = float(BURST)
        self._counted = self._loop.time()
        # Kept, because the loop itself holds its tasks weakly.
        self._opening: set[asyncio.Task[None]] = set()
        for one in sockets:
            one.setblocking(False)
            one.listen(BACKLOG)
        for one in sockets:
            self._loop.add_reader(one, self._accept, one)

    def close(self) -> None:
        """Listen no more; connections stay."""
        sockets, self.sockets = self.sockets, []
        for one in sockets:
            self._loop.remove_reader(one)
            one.close()

    def _accept(self, listening: socket.socket) -> None:
        if not self._may_accept():
            self._wait(listening, PACE_S)
            return
        for _ in range(ACCEPTS):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                self._pause(listening, error.errno)
                return
            # The lowest free number is given out, so a high one means that few are left.
            if connection.fileno() >= self._free:
                connection.close()
                self._pause(listening, errno.EMFILE)
                return
            if self._admits is not None and not self._admits(address[0]):
                connection.close()
                continue
            self._allowed -= 1
            connection.setblocking(False)
            task = self._loop.create_task(self._open(connection))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        # Whoever cannot agree on TLS, or has gone already, is nobody's business.
        with suppress(OSError):
            await self._loop.connect_accepted_socket(self._factory, connection, ssl=self._tls)

    def _pause(self, listening: socket.socket, error: int) -> None:
        self._wait(listening, PAUSE_S)
        if self._told():
            what = "nobody can connect: %s: allow this process more of them (ulimit -n, LimitNOFILE=)"
            logger.error(what, os.strerror(error))

    def _may_accept(self) -> bool:
        now = self._loop.time()
        self._allowed = min(self._allowed + (now - self._counted) * ACCEPTS_PER_S, BURST)
        self._counted = now
        return self._allowed >= 1

    def _wait(self, listening: socket.socket, seconds: float) -> None:
        self._loop.remove_reader(listening)
        self._loop.call_later(seconds, self._resume, listening)

    def _resume(self, listening: socket.socket) -> None:
        if listening in self.sockets:
            self._loop.add_reader(listening, self._accept, listening)


async def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to all addresses of a host; OSError when that is not possible."""
    # asyncio knows what a name means, and which options each system wants; its copies of the sockets are closed.
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
    try:
        return [one.dup() for one in server.sockets]
    finally:
        server.close()


def descriptors() -> int:
    """How many files and connections this process may have open."""
    if resource is None:
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
