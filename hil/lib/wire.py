"""A serial line between a device and the gateway, as a cable that tests can unplug, listen to and disturb.

The gateway's end is a pseudo-terminal at a path that stays the same; the board's end is whatever the target has.
"""

import contextlib
import fcntl
import os
import pty
import selectors
import struct
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hil.lib.frames import Frames

READ_BYTES = 4096

Taker = Callable[[bytes], None]


class BoardEnd(Protocol):
    """The board's end of a wire."""

    def start(self, taker: Taker) -> None:
        """Give everything that the board writes to `taker`, in a thread, until `close`."""

    def write(self, data: bytes) -> bytes:
        """Write to the board; returns what of it was lost."""

    def close(self) -> None:
        """End it."""


def pump(source: int, stop: int, taker: Taker) -> None:
    """Read `source` until it ends or `stop` has something."""
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        selector.register(stop, selectors.EVENT_READ)
        while True:
            if any(key.fd == stop for key, _ in selector.select()):
                return
            try:
                data = os.read(source, READ_BYTES)
            except OSError:
                return
            if not data:
                return
            taker(data)


class Terminal:
    """A pseudo-terminal that a program opens at `path`, and that `pump` reads; what is not fetched in time is lost.

    `ring`: how many bytes may wait for the reader, where that is less than the system's buffer.
    """

    def __init__(self, ring: int = 0):
        self._ring = ring
        # The slave is held open, so that the line survives a program at its end that dies.
        self._master, self._slave = pty.openpty()
        self.path = os.ttyname(self._slave)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._stopped, self._stop = os.pipe()
        self._thread: threading.Thread | None = None

    def start(self, taker: Taker) -> None:
        """Give what the program writes to `taker`."""
        self._thread = threading.Thread(target=pump, args=(self._master, self._stopped, taker), daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> bytes:
        """Write to the program; returns what of it was lost."""
        fits = data[: max(self._ring - self.waiting(), 0)] if self._ring else data
        written = 0
        with contextlib.suppress(BlockingIOError):
            written = os.write(self._master, fits) if fits else 0
        return data[written:]

    def close(self) -> None:
        """Take it away: a program that has it open sees its end."""
        os.close(self._stop)
        if self._thread:
            self._thread.join()
        for number in (self._stopped, self._master, self._slave):
            os.close(number)

    def waiting(self) -> int:
        """Bytes that the program has not read; what was written a moment ago may still be on its way there."""
        return int(struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))[0])


class Wire:
    """The line; the gateway opens it at `path`, while it is plugged in. `console` is given what the board writes."""

    def __init__(self, path: Path, board: BoardEnd, frames: Frames, console: Taker = lambda data: None):
        self.path = path
        self._board = board
        self._frames = frames
        self._console = console
        self._gateway: Terminal | None = None
        # Of the plug, which a test pulls while the board's thread writes.
        self._lock = threading.Lock()
        board.start(self._from_board)

    def plug(self) -> None:
        """Connect the two ends."""
        with self._lock:
            self._gateway = Terminal()
            self._gateway.start(self.to_board)
            self.path.symlink_to(self._gateway.path)

    def unplug(self) -> None:
        """The gateway's port is gone, and the board writes to nobody."""
        with self._lock:
            gateway, self._gateway = self._gateway, None
        if gateway:
            self.path.unlink()
            gateway.close()

    def to_board(self, data: bytes) -> None:
        """What the gateway writes, or a test in its place."""
        self._frames.note(">", data)
        if lost := self._board.write(data):
            self._frames.note("lost >", lost)

    def to_gateway(self, data: bytes) -> None:
        """What the board writes, or a test in its place."""
        with self._lock:
            lost = self._gateway.write(data) if self._gateway else data
        self._frames.note("lost <" if lost == data else "<", data)

    def close(self) -> None:
        """Unplug it, and end it."""
        self.unplug()
        self._board.close()

    def _from_board(self, data: bytes) -> None:
        self._console(data)
        self.to_gateway(data)
