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

from ..core.backoff import delays
from ..core.clear import NONCE_BYTES, UNKEYED
from ..core.framing import CHALLENGE, DATA, HELLO, NO_SESSION, READY, TEXT, SerialLine
from ..core.gateway_session import GatewaySession
from ..core.pump import Pump
from ..core.session import OPENED
from .bridge import Bridge, printable
from .device import Device

# With its frame, a line of 2 KiB; the reader of a board is slower than that anyway.
MESSAGE_BYTES = 1500

READ_BYTES = 4096

# A plugged-in board should not be waited for much longer than its own boot takes.
FIRST_RETRY_MS = 500
MAX_RETRY_MS = 5000

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
        self._baudrate = baudrate
        self._file: Any = None
        self._line = SerialLine(False, MESSAGE_BYTES)
        self._current: SerialSession | None = None
        self._challenged: SerialSession | None = None
        self._unwritten = b""
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Keep the port open until `stop`."""
        waits = self._waits()
        while not self._stopping.is_set():
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
        if self._current is not None:
            self._current.session.close("the gateway is shutting down")
            self._current.end()
        self._stopping.set()
        self._close("the gateway is shutting down")

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass: lines are sent again, sessions have heartbeats and deadlines."""
        self._line.tick(elapsed_ms)
        if self._line.dead and self._current is not None:
            self._current.session.closed = "nobody acknowledges on the serial line"
        for one in {self._current, self._challenged}:
            if one is not None:
                one.tick(elapsed_ms)
        self._write()

    def ended(self, one: "SerialSession") -> None:
        """A session is over; the line stays silent until the device asks again."""
        if self._challenged is one:
            self._challenged = None
        if self._current is one:
            self._current = None
        self.bridge.closed(one.device, one.session, one)

    def send(self, one: "SerialSession", message: bytes) -> None:
        """A message of a session: its challenge goes out at once, the rest in order and acknowledged."""
        self._line.send(CHALLENGE if one is not self._current else DATA, message)

    def _waits(self) -> Any:
        return delays(lambda below: int.from_bytes(urandom(4), "big") % below, FIRST_RETRY_MS, MAX_RETRY_MS)

    def _open(self) -> str | None:
        import serial

        try:
            # DTR and RTS both asserted: RP2's USB discards output without DTR, classic ESP32 circuits reset where they
            # differ.
            self._file = serial.Serial(self.port, self._baudrate, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            return _problem(error)
        self.state = "open"
        self._lost.clear()
        self._line.reset()
        self._unwritten = b""
        asyncio.get_running_loop().add_reader(self._file.fileno(), self._readable)
        logger.info("serial port %s: open at %d baud", self.port, self._baudrate)
        return None

    def _close(self, why: str) -> None:
        if self._file is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._file.fileno())
            loop.remove_writer(self._file.fileno())
            self._file.close()
            self._file = None
        for one in (self._current, self._challenged):
            if one is not None:
                one.session.closed = one.session.closed or why
                self.ended(one)
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
        for kind, payload in self._line.receive_data(data):
            self._received(kind, payload)
        stray, self._line.stray = self._line.stray, 0
        if stray and self._current is None:
            self._line.send(NO_SESSION)
        if self._current is not None:
            self._current.flush()
        self._write()

    def _received(self, kind: bytes, payload: bytes) -> None:
        if kind == TEXT:
            name = self._current.device.name if self._current and self._current.device else "?"
            logger.info("console of %s on %s: %s", name, self.port, printable(payload.decode(errors="replace")))
        elif kind == READY:
            if self._challenged is None:
                self._challenged = SerialSession(self)
            self._challenged.challenge()
        elif kind == HELLO:
            if self._challenged is not None:
                self._replace(self._challenged)
                self._receive(payload)
        elif kind == DATA:
            self._receive(payload)

    def _replace(self, one: "SerialSession") -> None:
        before = self._current
        self._current, self._challenged = one, None
        if before is not None:
            before.session.closed = before.session.closed or "the device began a new session"
            self.ended(before)

    def _receive(self, payload: bytes) -> None:
        if self._current is None:
            self._line.send(NO_SESSION)
        else:
            self._current.receive(payload)

    def _write(self) -> None:
        if self._file is None:
            return
        self._unwritten += self._line.data_to_send()
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


class SerialSession:
    """One session on a serial line: a carrier of `devices.Carrier`, and of the pump."""

    kind = "serial"

    def __init__(self, link: SerialLink):
        self.address = link.port
        self.device: Device | None = None
        # A serial line is in somebody's hand, so a device without a key may use it.
        self.session = GatewaySession(urandom(NONCE_BYTES), UNKEYED, MESSAGE_BYTES, link.bridge.devices.find)
        self._link = link
        self._pump = Pump(self.session, self, self._event)
        self._challenge: bytes = self.session.data_to_send() or b""
        self._woken = False
        self._over = False

    def challenge(self) -> None:
        """Challenge the device; again with the same challenge, when it asks again before it has answered."""
        self._link.send(self, self._challenge)

    def receive(self, payload: bytes) -> None:
        """One message of the device."""
        self._pump.receive(payload)

    def flush(self) -> None:
        """Hand the line what the session has to say."""
        self._woken = False
        self._pump.flush()

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass."""
        self.session.tick(elapsed_ms)
        self.flush()

    def send(self, message: bytes) -> None:
        """One message for the device; the pump's name for it."""
        self._link.send(self, message)

    def close(self, reason: str) -> None:
        """The session is over; the line stays."""
        if not self._over:
            self._over = True
            self._link.ended(self)

    def wake(self) -> None:
        """Something is to be sent: in this iteration, once."""
        if not self._woken:
            self._woken = True
            asyncio.get_running_loop().call_soon(self._flush_and_write)

    def end(self) -> None:
        """The session is over: say so."""
        self._flush_and_write()

    def _flush_and_write(self) -> None:
        self.flush()
        self._link.write()

    def _event(self, event: tuple[Any, ...]) -> None:
        bridge = self._link.bridge
        if self.device is not None:
            bridge.event(self.device, event)
        elif event[0] == OPENED:
            self.device = bridge.opened(self.session, event[1], self)


def _problem(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number is None and os.strerror(errno.ENOTTY) in str(error):
        # pyserial passes this one on as a text only.
        number = errno.ENOTTY
    return _PROBLEMS.get(number or 0) or getattr(error, "strerror", None) or str(error)
