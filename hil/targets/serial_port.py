"""A board at a serial port, here (`serial:/dev/ttyACM0`) or at another computer (`rfc2217://farm:4000`).

Its port is the REPL's, so it is the console, the way of files to the board, and the line of its link `usb`, one after
the other: while a test runs, the bytes go through a wire of ours to the gateway.
"""

import contextlib
import fcntl
import io
import re
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from eventhive.boards.board import BAUDRATE, Board
from eventhive.boards.deploy import apply, plan
from eventhive.device.stage import RECORD
from hil.lib.wire import READ_BYTES, Taker, Wire
from hil.targets.base import Target

# A read waits so long for a byte; then it looks whether the test is over.
READ_S = 0.1

# At the prompt, mpremote takes a read that ends without a byte for an answer that is missing.
ANSWER_S = 2.0

# To interrupt a program and to restart softly; a `slow` board has more.
PROMPT_S = 10.0


class PortEnd:
    """The board's end of a wire: a port that is open while the board's program runs."""

    def __init__(self) -> None:
        self._port: Any = None
        self._taker: Taker = lambda data: None
        self._thread: threading.Thread | None = None

    def start(self, taker: Taker) -> None:
        """Where to put what the board writes."""
        self._taker = taker

    def attach(self, port: Any) -> None:
        """The program runs: from now on, the port is the wire's."""
        port.timeout = READ_S
        self._port = port
        self._thread = threading.Thread(target=self._read, args=(port,), daemon=True)
        self._thread.start()

    def detach(self) -> None:
        """The port is somebody else's again."""
        self._port = None
        if self._thread:
            self._thread.join()

    def write(self, data: bytes) -> bytes:
        """Write to the board; lost is what comes while no program runs, which would be typed at its prompt."""
        port = self._port
        if port is None:
            return data
        port.write(data)
        return b""

    def close(self) -> None:
        """End it."""
        self.detach()

    def _read(self, port: Any) -> None:
        with contextlib.suppress(OSError):
            while self._port is port:
                if data := port.read(max(1, min(port.in_waiting, READ_BYTES))):
                    self._taker(data)


@dataclass(eq=False)
class SerialPort(Target):
    """A board at `port`. One run has it at a time: others wait until that is over."""

    port: str = ""
    _transport: Any = field(init=False, default=None)
    _lock: Any = field(init=False, default=None)
    _end: PortEnd = field(init=False, default_factory=PortEnd)
    _runs: bool = field(init=False, default=False)

    def open(self, tree: Path) -> None:
        self._lock = lock(self.port)
        board = self._prompt()
        facts = board.facts()
        facts.check(self.port)
        self.facts.firmware = f"{facts.board}, {facts.firmware} {'.'.join(map(str, facts.version))}"
        self.facts.heap = facts.heap_free
        self.epoch = int(board.run("import time; print(time.gmtime(0)[0])"))
        files = {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
        files.pop(RECORD, None)
        apply(board, plan(board, files), lambda path, count: None)
        self._close()

    def close(self) -> None:
        self._close()
        if self._lock is not None:
            self._lock.close()

    def begin(self, folder: Path) -> None:
        super().begin(folder)
        self._end = PortEnd()
        self.wire = Wire(folder / "port", self._end, self.frames, self.console.feed)
        self.wire.plug()

    def end(self) -> None:
        super().end()
        self._close()

    def serial_link(self) -> dict[str, Any]:
        return {"type": "usb"}

    def put(self, files: dict[str, bytes]) -> None:
        board = self._prompt()
        for name, data in files.items():
            board.write(name, data)

    def reset(self) -> None:
        board = self._prompt()
        self.console.clear()
        board.restart()
        self._runs = True
        self._end.attach(self._transport.serial)

    def halt(self) -> None:
        if self._runs:
            self._prompt()

    def _prompt(self) -> Board:
        """The board at its raw REPL, all of its heap free."""
        if self._runs or self._transport is None:
            self._close()
            self._transport = SerialTransport(self.port, BAUDRATE, timeout=ANSWER_S * self.patience)
            said = io.StringIO()
            try:
                with contextlib.redirect_stdout(said):
                    # First alone: what a board was sent while it started would be in the way of the restart.
                    self._transport.enter_raw_repl(False, PROMPT_S * self.patience)
                    self._transport.enter_raw_repl(True, PROMPT_S * self.patience)
            except TransportError as error:
                raise AssertionError(f"{self.port}: {error}: it answers {said.getvalue()[-500:]!r}") from None
        return Board(self.port, self._transport)

    def _close(self) -> None:
        """Leave the port to others; a port that stays open after a failure is nobody's until the run ends."""
        self._end.detach()
        self._runs = False
        if self._transport is not None:
            # A pseudo-terminal has no lines to set when it is closed.
            with contextlib.suppress(OSError):
                self._transport.close()
            self._transport.serial.close()
            self._transport = None


def lock(port: str) -> Any:
    """The lock of a board, waited for; closing it gives it back, and so does the end of the process."""
    name = re.sub(r"\W+", "-", str(Path(port).resolve()) if port.startswith("/") else port).strip("-")
    file = (Path(tempfile.gettempdir()) / f"eventhive-hil-{name}.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{port}: another run has this board ({file.name}): waiting for its end", flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def at_port(
    port: str, name: str = "", host: str = "", wifi: "dict[str, str] | None" = None, more: "tuple[str, ...]" = ()
) -> SerialPort:
    """The board at a port; `host`: the address of this machine for it; `more`: capabilities that nobody can see."""
    capabilities = {"serial", *more}
    if host:
        capabilities.add("network")
    if wifi:
        capabilities.add("wifi")
    extras: dict[str, Any] = {"wifi": wifi} if wifi else {}
    return SerialPort(name or port, frozenset(capabilities), host or "127.0.0.1", extras=extras, port=port)
