"""Devices on serial lines: one port, one line, the session of the device that asks there.

A port that is absent, busy or vanished is a state, not an error: it is tried again for ever. Nothing is written to a
line before a device on it has asked, because what listens could be a REPL.
"""

import asyncio
import contextlib
import errno
import logging
import os
from os import urandom
from typing import Any

from ..bounded_log import BoundedLog
from ..core.backoff import delays
from ..core.framing import DATA, HELLO, NO_SESSION, READY, TEXT
from .bridge import Bridge, printable
from .consoles import Watcher
from .serial_lines import PROOF, SerialLines
from .serial_session import MESSAGE_BYTES, SerialSession

READ_BYTES = 4096

# What waits for a port that nobody reads; beyond it, lines are lost as on a bad cable, and those that count come again.
UNWRITTEN_BYTES = 16 * 1024

# A plugged-in board should not be waited for much longer than its own boot takes.
FIRST_RETRY_MS = 500
MAX_RETRY_MS = 5000

# Of a board's console, a minute: ten a second are somebody's program, a port at full speed writes a gigabyte a day.
CONSOLE_LINES = 600

# Of what is typed: a port that takes nothing is not waited for.
MAX_UNWRITTEN = 64 * 1024

LENT = "left to another program for a while"
UNPLUGGED = "it was unplugged, or closed at its other end"

_PROBLEMS = {
    errno.ENOENT: "there is no such device: plug it in, or correct 'serial:' in the gateway's configuration",
    errno.EACCES: "no permission: add the gateway's user to the group that owns it (often 'dialout')",
    errno.EAGAIN: "another program has it open: close that one (a terminal, mpremote, an IDE)",
    errno.EBUSY: "another program has it open: close that one (a terminal, mpremote, an IDE)",
    errno.ENOTTY: "it is no serial port: correct 'serial:' in the gateway's configuration",
    errno.EIO: UNPLUGGED,
    errno.ENXIO: UNPLUGGED,
}

logger = logging.getLogger("eventhive.gateway")


class SerialLink:
    """One serial port of the gateway."""

    def __init__(self, bridge: Bridge, port: str, baudrate: int):
        self.bridge = bridge
        self.port = port
        self.state = "not opened"
        # Who reads the console of the board at this port.
        self.watchers: list[Watcher] = []
        self.baudrate = baudrate
        self._file: Any = None
        # The session that proved itself, one that said hello, and one that was challenged.
        self._current: SerialSession | None = None
        self._proving: SerialSession | None = None
        self._challenged: SerialSession | None = None
        self._new_lines()
        self._console = BoundedLog(logger, f"console lines on {port}", CONSOLE_LINES, bridge.seconds)
        self._unwritten = b""
        self._lent_s = 0
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Keep the port open until `stop`."""
        waits = self._waits()
        while not self._stopping.is_set():
            if self._lent_s:
                await self._leave()
                continue
            problem = self._open()
            if problem is None:
                waits = self._waits()
                await self._lost.wait()
            elif problem != self.state:
                self.state = problem
                logger.warning("serial port %s: waiting for it: %s", self.port, problem)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), next(waits) / 1000)

    def stop(self) -> None:
        """Say goodbye to the device, and close the port."""
        self._end(self._proving, "the gateway is shutting down")
        if self._current is not None:
            self._current.session.close("the gateway is shutting down")
            self._current.flush_now()
        self._stopping.set()
        self._close("the gateway is shutting down")

    def type(self, keys: bytes) -> bool:
        """Write to the port what somebody types; False where it is not open, or takes no more."""
        if self._file is None or len(self._unwritten) > MAX_UNWRITTEN:
            return False
        self._unwritten += keys
        self._write()
        return True

    def lend(self, seconds: int) -> None:
        """Leave the port to another program for so long, or until it is given back with 0."""
        self._lent_s = seconds
        self._changed.set()
        if seconds and self._file is not None:
            self._close("the port is needed for something else")

    async def _leave(self) -> None:
        self.state = LENT
        seconds, self._lent_s = self._lent_s, 0
        self._changed.clear()
        logger.info("serial port %s: left to another program for up to %d s", self.port, seconds)
        stopping = asyncio.ensure_future(self._stopping.wait())
        changed = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait((stopping, changed), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        changed.cancel()

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass: lines are sent again, sessions have heartbeats and deadlines."""
        self._lines.tick(elapsed_ms)
        self._console.tick()
        for watcher in self.watchers:
            watcher.grow(self._lines.growing.decode(errors="replace"))
        if self._lines.running.dead and self._current is not None:
            self._current.session.closed = "nobody acknowledges on the serial line"
        for one in self._sessions():
            one.tick(elapsed_ms)
        self._write()

    def proved(self, one: SerialSession) -> None:
        """A session has been admitted: what ran here before is over, whichever device it was."""
        before, self._current, self._proving = self._current, one, None
        self._lines.proved()
        self._end(before, "another session began on this line")

    def ended(self, one: SerialSession) -> None:
        """A session is over; the line stays silent until the device asks again."""
        if self._challenged is one:
            self._challenged = None
            self._lines.withdraw()
        if self._proving is one:
            self._proving = None
            self._lines.failed()
        if self._current is one:
            self._current = None
        self.bridge.closed(one.device, one.session, one)

    def _sessions(self) -> list[SerialSession]:
        return [one for one in (self._current, self._proving, self._challenged) if one is not None]

    def _end(self, one: SerialSession | None, why: str) -> None:
        if one is not None:
            one.session.closed = one.session.closed or why
            self.ended(one)

    def _new_lines(self) -> None:
        self._lines = SerialLines(MESSAGE_BYTES, self._is_running)

    def _is_running(self, payload: bytes) -> bool:
        return self._current is not None and self._current.is_next(payload)

    def _waits(self) -> Any:
        return delays(lambda below: int.from_bytes(urandom(4), "big") % below, FIRST_RETRY_MS, MAX_RETRY_MS)

    def _open(self) -> str | None:
        import serial

        try:
            # DTR and RTS both asserted: RP2's USB discards output without DTR, classic ESP32 circuits reset where they
            # differ.
            self._file = serial.Serial(self.port, self.baudrate, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            return _problem(error)
        self.state = "open"
        self._lost.clear()
        self._new_lines()
        self._unwritten = b""
        asyncio.get_running_loop().add_reader(self._file.fileno(), self._readable)
        logger.info("serial port %s: open at %d baud", self.port, self.baudrate)
        return None

    def _close(self, why: str) -> None:
        if self._file is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._file.fileno())
            loop.remove_writer(self._file.fileno())
            self._file.close()
            self._file = None
        for one in self._sessions():
            self._end(one, why)
        self.state = why
        self._lost.set()

    def _vanished(self, why: str) -> None:
        if not self._stopping.is_set():
            logger.warning("serial port %s: lost: %s", self.port, why)
        self._close(why)

    def _readable(self) -> None:
        try:
            data = os.read(self._file.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._vanished(_problem(error))
            return
        if not data:
            self._vanished(UNPLUGGED)
            return
        for kind, payload in self._lines.receive_data(data):
            self._received(kind, payload)
        line = self._lines.running
        if line.stray:
            line.stray = 0
            self._no_session()
        if self._current is not None:
            self._current.flush()
        self._write()

    def _received(self, kind: bytes, payload: bytes) -> None:
        if kind == TEXT:
            name = self._current.device.name if self._current and self._current.device else "?"
            text = printable(payload.decode(errors="replace"))
            for watcher in self.watchers:
                watcher.show(text)
            self._console(logging.INFO, "console of %s on %s: %s", name, self.port, text)
        elif kind == READY:
            if self._challenged is None:
                self._challenged = SerialSession(self, self._lines.ask())
            self._challenged.challenge()
        elif kind == HELLO:
            before, self._proving, self._challenged = self._proving, self._challenged, None
            self._end(before, "another hello came before its proof")
            self._prove(payload)
        elif kind == PROOF:
            self._prove(payload)
        elif kind == DATA:
            self._receive(payload)

    def _prove(self, payload: bytes) -> None:
        one = self._proving
        if one is None:
            self._no_session()
            return
        one.receive(payload)
        one.flush()

    def _receive(self, payload: bytes) -> None:
        one = self._current
        if one is None:
            self._no_session()
            return
        one.receive(payload)
        if not one.session.closed:
            # The device is still in its session, so whatever said hello here was another one, or noise.
            self._end(self._proving, "the session before it goes on")

    def _no_session(self) -> None:
        if self._current is None and self._proving is None:
            self._lines.running.send(NO_SESSION)

    def _write(self) -> None:
        if self._file is None:
            return
        lines = self._lines.data_to_send()
        if len(self._unwritten) < UNWRITTEN_BYTES:
            self._unwritten += lines
        loop = asyncio.get_running_loop()
        try:
            while self._unwritten:
                written = os.write(self._file.fileno(), self._unwritten)
                self._unwritten = self._unwritten[written:]
            loop.remove_writer(self._file.fileno())
        except BlockingIOError:
            loop.add_writer(self._file.fileno(), self._write)
        except OSError as error:
            self._vanished(_problem(error))

    def write(self) -> None:
        """Write what the line has to send now."""
        self._write()


def _problem(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number is None and os.strerror(errno.ENOTTY) in str(error):
        # pyserial passes this one on as a text only.
        number = errno.ENOTTY
    return _PROBLEMS.get(number or 0) or getattr(error, "strerror", None) or str(error)
