"""Devices on serial lines: one port, one line, the session of the device that asks there.

Nothing is written to a line before a device on it has asked, because what listens could be a REPL.
"""

import logging

from ..bounded_log import BoundedLog
from ..core.framing import DATA, HELLO, NO_SESSION, READY, TEXT
from .bridge import Bridge, printable
from .consoles import Watcher
from .crashes import Crash, Crashes
from .kept_port import KeptPort
from .port_match import Entry
from .serial_lines import PROOF, SerialLines
from .serial_session import MESSAGE_BYTES, SerialSession

# Of a board's console, a minute: ten a second are somebody's program, a port at full speed writes a gigabyte a day.
CONSOLE_LINES = 600

logger = logging.getLogger("eventhive.gateway")


class SerialLink(KeptPort):
    """The serial port at a path, for an entry of the configuration, and the sessions on it."""

    def __init__(self, bridge: Bridge, entry: Entry, port: str):
        super().__init__(entry, port, bridge.seconds)
        self.bridge = bridge
        # Who reads the console of the board at this port.
        self.watchers: list[Watcher] = []
        # The device that was here last, since the port was opened; and a crash before there was one.
        self._owner = ""
        self._crash: Crash | None = None
        self._crashes = Crashes(self._crashed)
        # The session that proved itself, one that said hello, and one that was challenged.
        self._current: SerialSession | None = None
        self._proving: SerialSession | None = None
        self._challenged: SerialSession | None = None
        self._new_lines()
        self._console = BoundedLog(logger, f"console lines on {port}", CONSOLE_LINES, bridge.seconds)

    def stop(self) -> None:
        """Say goodbye to the device, and close the port."""
        self._end(self._proving, "the gateway is shutting down")
        if self._current is not None:
            self._current.session.close("the gateway is shutting down")
            self._current.flush_now()
        super().stop()

    def opened(self) -> None:
        """The port is open."""
        self._new_lines()

    def closing(self, why: str) -> None:
        """The port is closed."""
        self._owner, self._crash = "", None
        for one in self._sessions():
            self._end(one, why)

    def _crashed(self, crash: Crash) -> None:
        # What a board says before it is known belongs to the device that it turns out to be.
        self._crash = None if self._owner else crash
        if self._owner:
            self.bridge.crashed(self._owner, self.port, crash)

    def to_send(self) -> bytes:
        """What the line has to send now."""
        return self._lines.data_to_send()

    @property
    def device(self) -> str:
        """The name of the device whose session runs here; empty where none does."""
        return self._current.device.name if self._current is not None and self._current.device is not None else ""

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
        self.write()

    def proved(self, one: SerialSession) -> None:
        """A session has been admitted: what ran here before is over, whichever device it was."""
        before, self._current, self._proving = self._current, one, None
        self._lines.proved()
        self._end(before, "another session began on this line")
        self._owner = self.device
        if self._crash is not None:
            self._crashed(self._crash)

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

    def received(self, data: bytes) -> None:
        """What the port gave."""
        for kind, payload in self._lines.receive_data(data):
            self._received(kind, payload)
        line = self._lines.running
        if line.stray:
            line.stray = 0
            self._no_session()
        if self._current is not None:
            self._current.flush()
        self.write()

    def _received(self, kind: bytes, payload: bytes) -> None:
        if kind == TEXT:
            text = printable(payload.decode(errors="replace"))
            for watcher in self.watchers:
                watcher.show(text)
            self._console(logging.INFO, "console of %s on %s: %s", self._owner or "?", self.port, text)
            self._crashes.read(text)
            if self._owner:
                self.bridge.printed(self._owner, self.port, text)
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
