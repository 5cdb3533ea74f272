"""One serial port that is kept open, whatever happens to it.

Rules of this file: a port that is absent, busy or vanished is in a state (`port_file.STATES`), and that is no error: it
is tried again for ever. What goes over it is for those who inherit.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from os import urandom
from typing import Any

from ..core.backoff import delays
from .port_file import (
    ABSENT,
    CLOSED,
    LENT,
    OPEN,
    RESET_S,
    UNPLUGGED,
    VANISHED,
    close_port,
    hold_reset,
    open_port,
    release_reset,
    state_of,
    why_lost,
    why_not,
)
from .port_match import Entry

READ_BYTES = 4096

# What waits for a port that nobody reads; beyond it, lines are lost as on a bad cable, and those that count come again.
UNWRITTEN_BYTES = 16 * 1024

# Of what is typed: a port that takes nothing is not waited for.
MAX_UNWRITTEN = 64 * 1024

# A plugged-in board should not be waited for much longer than its own boot takes.
FIRST_RETRY_MS = 500
MAX_RETRY_MS = 5000

logger = logging.getLogger("eventhive.gateway")


class KeptPort:
    """The port at a path, for an entry of the configuration; `seconds()` is the time.

    `state` is one of those of `port_file`, `why` says more of it to people, `since` is when it began, in seconds.
    `returned` counts how often it has come back. Who inherits has `opened`, `closing`, `received` and `to_send`.
    """

    def __init__(self, entry: Entry, port: str, seconds: Callable[[], float]):
        self.entry = entry
        self.port = port
        self.state = CLOSED
        self.why = ""
        self.since = seconds()
        self.returned = 0
        self._seconds = seconds
        self._file: Any = None
        self._unwritten = b""
        self._lent_s = 0
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()

    def opened(self) -> None:
        """The port is open."""

    def closing(self, why: str) -> None:
        """The port is closed."""

    def received(self, data: bytes) -> None:
        """What the port gave."""

    def to_send(self) -> bytes:
        """What is to be sent now."""
        return b""

    async def run(self) -> None:
        """Keep the port open until `stop`."""
        waits = self._waits()
        while not self._stopping.is_set():
            if self._lent_s:
                await self._leave()
                continue
            try:
                await self._open()
                waits = self._waits()
                await self._lost.wait()
            except (OSError, ValueError) as error:
                await self._wait_for(error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), next(waits) / 1000)

    def stop(self) -> None:
        """Close the port, for good."""
        self._stopping.set()
        self.close(CLOSED, "the gateway is shutting down")

    def type(self, keys: bytes) -> bool:
        """Write to the port what somebody types; False where it is not open, or takes no more."""
        if self._file is None or len(self._unwritten) > MAX_UNWRITTEN:
            return False
        self._unwritten += keys
        self.write()
        return True

    def lend(self, seconds: int) -> None:
        """Leave the port to another program for so long, or until it is given back with 0."""
        self._lent_s = seconds
        self._changed.set()
        if seconds and self._file is not None:
            self.close(LENT, "the port is needed for something else")

    def write(self) -> None:
        """Write what there is to send now, as far as the port takes it."""
        if self._file is None:
            return
        lines = self.to_send()
        if len(self._unwritten) < UNWRITTEN_BYTES:
            self._unwritten += lines
        loop = asyncio.get_running_loop()
        try:
            while self._unwritten:
                written = os.write(self._file.fileno(), self._unwritten)
                self._unwritten = self._unwritten[written:]
            loop.remove_writer(self._file.fileno())
        except BlockingIOError:
            loop.add_writer(self._file.fileno(), self.write)
        except OSError as error:
            self._vanished(why_lost(error))

    def _change(self, state: str, why: str) -> None:
        if (state, why) != (self.state, self.why):
            self.state, self.why, self.since = state, why, self._seconds()

    async def _wait_for(self, error: Exception) -> None:
        state = state_of(error)
        # That one which has vanished is absent is no news.
        if state == self.state or (state, self.state) == (ABSENT, VANISHED):
            return
        why = await asyncio.to_thread(why_not, error, self.port)
        self._change(state, why)
        # A board that is not plugged in is no fault.
        level = logging.INFO if state in (ABSENT, VANISHED) else logging.WARNING
        logger.log(level, "serial port %s: waiting for it: %s", self.port, why)

    async def _leave(self) -> None:
        self._change(LENT, "another program has it for a while")
        seconds, self._lent_s = self._lent_s, 0
        self._changed.clear()
        logger.info("serial port %s: left to another program for up to %d s", self.port, seconds)
        stopping = asyncio.ensure_future(self._stopping.wait())
        changed = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait((stopping, changed), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        changed.cancel()

    def _waits(self) -> Any:
        return delays(lambda below: int.from_bytes(urandom(4), "big") % below, FIRST_RETRY_MS, MAX_RETRY_MS)

    async def _open(self) -> None:
        self._lost.clear()
        self._file = file = open_port(self.entry, self.port)
        if self.entry.reset_on_open:
            await self._reset(file)
            if self._file is None:
                # It was stopped, or lent, meanwhile.
                return
        back = self.state == VANISHED
        self.returned += back
        self._change(OPEN, "")
        self._unwritten = b""
        self.opened()
        asyncio.get_running_loop().add_reader(file.fileno(), self._readable)
        logger.info("serial port %s: %sopen at %d baud", self.port, "returned: " if back else "", self.entry.baudrate)

    async def _reset(self, file: Any) -> None:
        if not hold_reset(file):
            logger.warning("serial port %s: it has no lines to reset a board with: 'reset_on_open'", self.port)
            return
        try:
            await asyncio.sleep(RESET_S)
        finally:
            release_reset(file, self.entry)

    def close(self, state: str, why: str) -> None:
        """Close it, if it is open; it is opened again unless it was stopped."""
        if self._file is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._file.fileno())
            loop.remove_writer(self._file.fileno())
            close_port(self._file)
            self._file = None
        self.closing(why)
        self._change(state, why)
        self._lost.set()

    def _vanished(self, why: str) -> None:
        if not self._stopping.is_set():
            logger.warning("serial port %s: lost: %s", self.port, why)
        self.close(VANISHED, why)

    def _readable(self) -> None:
        try:
            data = os.read(self._file.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._vanished(why_lost(error))
            return
        if not data:
            self._vanished(UNPLUGGED)
            return
        self.received(data)
