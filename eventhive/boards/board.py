"""A board at its raw REPL, by mpremote: what it is, what its files hash to, writing and removing them.

Rules of this file:
1. Whatever goes wrong is a `LocalError` of one line that names the port and the next thing to try.
2. A board is left at its normal prompt, or restarted; the port is closed in any case.
"""

import ast
import contextlib
import errno
import io
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..core.errors import LocalError
from . import facts, ports

BAUDRATE = 115200

# A board interrupts its program and answers within milliseconds; an emulated one takes a second.
ANSWER_S = 5.0
# Switching a radio off takes a second, and an emulated board ten times as long for all it does.
RESTART_S = 20.0
# One read waits so long; mpremote looks at its own deadlines between reads.
READ_S = 2.0

# Bytes of a file that travel at once: their text is at most four times as long, which any board has room for.
CHUNK_BYTES = 1024

_HASHES = """
import os, hashlib, binascii
b = memoryview(bytearray(256))
def show(q):
    h = hashlib.sha256()
    try:
        with open(q, 'rb') as f:
            while True:
                n = f.readinto(b)
                if not n:
                    break
                h.update(b[:n])
    except OSError:
        return
    print(binascii.hexlify(h.digest()).decode(), os.stat(q)[6], q)
def walk(p):
    try:
        found = list(os.ilistdir(p))
    except OSError:
        return
    for f in found:
        (walk if f[1] == 0x4000 else show)(p + '/' + f[0])
walk(%r)
for q in %r:
    show(q)
"""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class OnBoard:
    """A file of a board."""

    digest: str
    size: int


class Board:
    """A board at its raw REPL; see `connect`."""

    def __init__(self, port: str, transport: Any):
        self.port = port
        self._transport = transport

    def facts(self) -> facts.Facts:
        """What it says of itself."""
        return facts.read(self._literal(facts.SCRIPT))

    def hashes(self, folder: str, files: Iterable[str]) -> dict[str, OnBoard]:
        """The files in a folder of the board, and those of `files` that are there."""
        found = {}
        for line in self.run(_HASHES % (folder, tuple(files))).splitlines():
            digest, size, path = line.strip().split(" ", 2)
            found[path] = OnBoard(digest, int(size))
        return found

    def read(self, path: str) -> bytes:
        """A file of the board; empty where there is none."""
        with self._faults(path):
            try:
                return bytes(self._transport.fs_readfile(path))
            except FileNotFoundError:
                return b""

    def write(self, path: str, data: bytes, progress: Progress | None = None) -> None:
        """Write a file, and the folders above it; `progress` is told how many bytes are written."""
        with self._faults(path):
            for folder in _above(path):
                with contextlib.suppress(FileExistsError):
                    self._transport.fs_mkdir(folder)
            told = (lambda done, _: progress(done)) if progress else None
            self._transport.fs_writefile(path, data, CHUNK_BYTES, told)

    def remove(self, path: str) -> None:
        """Remove a file; it may be gone already."""
        with self._faults(path), contextlib.suppress(FileNotFoundError):
            self._transport.fs_rmfile(path)

    def run(self, program: str) -> str:
        """What a program prints on the board."""
        with self._faults("a program of ours"):
            text: str = self._transport.exec(program).decode(errors="replace")
            return text

    def start(self, program: str) -> None:
        """Begin a program that does not come back: it resets the board, say."""
        with self._faults("a program of ours"):
            self._transport.exec_raw_no_follow(program)
            self._transport.in_raw_repl = False

    def restart(self) -> None:
        """Restart the board's program: leave the raw REPL, and reset softly."""
        with self._faults("the restart"):
            self._transport.exit_raw_repl()
            self._transport.serial.write(b"\r\x04")

    def leave(self, restart: bool) -> None:
        """Leave the raw REPL, if it is there still; for the normal prompt, or to run the board's program."""
        if not self._transport.in_raw_repl:
            return
        if restart:
            self.restart()
        else:
            self._transport.exit_raw_repl()

    def lines(self, seconds: float) -> Iterator[str | None]:
        """The lines that its program prints from now on, for so long; None whenever there was none for a moment."""
        from time import monotonic

        end, waiting = monotonic() + seconds, b""
        port = self._transport.serial
        port.timeout = 0.2
        while monotonic() < end:
            with self._faults("its console"):
                waiting += port.read(max(1, port.in_waiting))
            *whole, waiting = waiting.split(b"\n")
            yield from (line.decode(errors="replace").strip() for line in whole)
            if not whole:
                yield None

    def _literal(self, program: str) -> Any:
        text = self.run(program)
        try:
            return ast.literal_eval(text.strip())
        except (SyntaxError, ValueError):
            raise LocalError(f"{self.port}: the answer cannot be read: {text.strip()[:80]!r}: try again") from None

    @contextlib.contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        from mpremote.transport import TransportError, TransportExecError

        try:
            yield
        except TransportExecError as error:
            raise LocalError(_failed(self.port, what, str(error.error_output))) from None
        except TransportError as error:
            raise LocalError(f"{self.port}: {what}: {error}: press the board's reset button, and try again") from None
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise LocalError(f"{self.port}: {what}: no space left on the board: remove files of yours") from None
            if error.filename is None and error.strerror is None and str(error) != what:
                raise ports.fault(self.port, error) from None
            if error.errno in (errno.EIO, errno.ENXIO, errno.ENODEV):
                raise LocalError(
                    f"{self.port}: {what}: cannot be written or read: its file system is damaged"
                ) from None
            raise ports.fault(self.port, error) from None


@contextlib.contextmanager
def connect(port: str, clean: bool = False) -> Iterator[Board]:
    """The board at a port, its program interrupted; `clean`: restarted without it, so that all its memory is free.

    `LocalError` says why there is none: the port cannot be opened, or nobody, or not MicroPython, answers there.
    """
    ports.check(port)
    transport = _open(port)
    try:
        _enter(port, transport, clean)
        board = Board(port, transport)
        try:
            yield board
        except (LocalError, KeyboardInterrupt):
            # Whatever went wrong here, or was interrupted, its program is none the worse for it.
            with contextlib.suppress(LocalError, OSError):
                board.leave(restart=True)
            raise
        with contextlib.suppress(OSError):
            board.leave(restart=False)
    finally:
        try:
            transport.close()
        except OSError:
            # A pseudo-terminal has no lines to set.
            transport.serial.close()


def _open(port: str) -> Any:
    try:
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport
    except ImportError:
        raise LocalError("mpremote is missing: pip install 'eventhive[boards]'") from None
    try:
        return SerialTransport(port, BAUDRATE, timeout=READ_S)
    except (TransportError, OSError) as error:
        raise ports.fault(port, error) from None


def _enter(port: str, transport: Any, clean: bool) -> None:
    from mpremote.transport import TransportError

    said = io.StringIO()
    try:
        # mpremote prints what it got instead; it is for our message.
        with contextlib.redirect_stdout(said):
            transport.enter_raw_repl(soft_reset=False, timeout_overall=ANSWER_S)
            if clean:
                transport.enter_raw_repl(soft_reset=True, timeout_overall=RESTART_S)
    except TransportError:
        answer = said.getvalue().strip()
        if answer in ("", "b''"):
            why = "nothing answers: the board has no MicroPython, or is not ready: press its reset button and try again"
        else:
            why = f"what answers is no prompt of MicroPython: {answer[:60]}"
        raise LocalError(f"{port}: {why}, or put it there: eventhive device flash PORT FIRMWARE") from None
    except OSError as error:
        raise ports.fault(port, error) from None


def _failed(port: str, what: str, traceback: str) -> str:
    lines = [line.strip() for line in traceback.splitlines() if line.strip()]
    last = lines[-1] if lines else "it failed"
    if "MemoryError" in last:
        return f"{port}: {what}: the board has not enough memory: {last}"
    return f"{port}: {what}: {last}"


def _above(path: str) -> list[str]:
    """The folders above a file, the outermost first."""
    parts = posixpath.dirname(path).split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts)) if parts[count]]
