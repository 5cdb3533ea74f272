"""What stands between two programs, and harms the bytes that pass: over TCP, and over pseudo-terminals.

Rules of this file:
1. Between devices and the gateway anything may happen to bytes: their link has to notice.
2. Between the gateway or the hooks and the hive's server happens what can happen to a TCP connection: it is cut, bytes
   come late, or none come any more until both ends give it up (`swallow`). TCP loses, doubles and alters nothing in a
   connection that goes on; who has to reckon with somebody who does uses TLS.
"""

import asyncio
import contextlib
import os
import pty
import tty
from collections.abc import Callable
from typing import Any, Protocol

READ_BYTES = 4096

# What a delayed byte waits, on top of what it would.
DELAY_S = 0.3

# Where a terminal is not read for so long, its bytes are lost, as on a real line.
MAX_WAITING = 64 * 1024

Write = Callable[[bytes], None]


class Harm:
    """What is done to the next bytes: `kind` of `schedule.LINKS`, or nothing; one that is done once is over then.

    A delay is a relay's own, because each keeps or loses the order of bytes as its carrier does.
    """

    def __init__(self) -> None:
        self.kind = ""

    def pass_on(self, data: bytes, write: Write) -> bool:
        """Hand bytes to `write`, as they are or not; false where the connection is to be cut behind them."""
        kind = self.kind
        if kind == "black-hole":
            return True
        if kind:
            # Once is enough: what is damaged ends a connection, or is sent again.
            self.kind = ""
        if kind == "double":
            data += data
        elif kind == "truncate":
            data = data[: len(data) // 2]
        elif kind == "corrupt":
            middle = len(data) // 2
            data = data[:middle] + bytes((data[middle] ^ 0x55,)) + data[middle + 1 :]
        elif kind == "cut":
            write(data[: len(data) // 3])
            return False
        write(data)
        return True


class Relay(Protocol):
    """A way for devices; `harm` is what happens on it."""

    harm: Harm

    def cut(self) -> None:
        """Break it now, where that can be done."""

    def close(self) -> None:
        """End it."""


class TcpRelay:
    """Listens on `port` of this machine, and passes what comes on to `target`; what is late keeps its order."""

    def __init__(self, target: int):
        self.harm = Harm()
        self.port = 0
        self._target = target
        self._server: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()
        self._dead: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Begin."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def swallow(self) -> None:
        """Let nothing pass any more on the connections of this moment, which stay open; new ones are as ever."""
        self._dead |= self._writers

    def close(self) -> None:
        """End it."""
        self._server.close()
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, onward[1]}
        self._writers |= both
        pumps = [self._pump(reader, onward[1]), self._pump(onward[0], writer)]
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([asyncio.ensure_future(pump) for pump in pumps], return_when=asyncio.FIRST_COMPLETED)
        self._writers -= both
        self._dead -= both
        for one in both:
            one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_BYTES):
                if self.harm.kind == "delay":
                    await asyncio.sleep(DELAY_S)
                    writer.write(data)
                elif writer not in self._dead and not self.harm.pass_on(data, writer.write):
                    return


class PtyRelay:
    """Two terminal devices, `ends[0]` for the gateway and `ends[1]` for a device; what one writes, the other reads."""

    def __init__(self) -> None:
        self.harm = Harm()
        pairs = [pty.openpty(), pty.openpty()]
        self._masters = [master for master, _ in pairs]
        # Held open, so that the line survives a program at its end that dies.
        self._slaves = [slave for _, slave in pairs]
        self.ends = [os.ttyname(slave) for slave in self._slaves]
        loop: Any = asyncio.get_running_loop()
        for slave in self._slaves:
            tty.setraw(slave)
        for source, target in (self._masters, self._masters[::-1]):
            os.set_blocking(source, False)
            loop.add_reader(source, self._move, source, target)

    def cut(self) -> None:
        """A line has no connection that could break."""

    def close(self) -> None:
        """Unplug it."""
        loop = asyncio.get_running_loop()
        for master in self._masters:
            loop.remove_reader(master)
        for number in (*self._masters, *self._slaves):
            os.close(number)

    def _move(self, source: int, target: int) -> None:
        def write(data: bytes) -> None:
            # It blocks where nobody reads, and the line is closed at the end.
            with contextlib.suppress(OSError):
                os.write(target, data)

        with contextlib.suppress(OSError):
            data = os.read(source, READ_BYTES)
            if self.harm.kind == "delay":
                asyncio.get_running_loop().call_later(DELAY_S, write, data)
            else:
                self.harm.pass_on(data, write)
