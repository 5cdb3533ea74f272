"""What one serial line carries at once: a running session, and a hand-shake that has not proved itself yet.

Rules of this file:
1. No I/O and no clock. Each hand-shake has line numbers of its own, those of the running session stay as they are.
2. Before its proof, a hand-shake is nothing but `H` 0 and one `D` 1. Where the running session expects a `D` 1 as well,
   it gets the one that is authentic there, and no other.
3. While a proof is awaited nothing of the running session is written, for the device could take it for the welcome.
"""

from collections.abc import Callable

from ..core.framing import ACKNOWLEDGE, DATA, HELLO, READY, SerialLine

# Events of lines beside those of one line: a `D` of the hand-shake that has not proved itself.
PROOF = b"P"

# A refused device repeats its lines for so long if it does not hear us; they are not for the running session.
LINGER_MS = 12_000

Events = list[tuple[bytes, bytes]]
Frame = tuple[bytes, int, int, bytes]


class Numbers(SerialLine):
    """The numbers of one hand-shake, and of the session that comes of it."""

    def __init__(self, longest: int):
        super().__init__(False, longest)

    def silence(self) -> None:
        """Drop what is to be sent, but for acknowledgements."""
        self._queue = []
        self._flying = b""

    def awaits(self, acknowledged: int) -> bool:
        """True where the line under way has this number."""
        return bool(self._flying) and acknowledged == self._flying_number

    def may_be_taken(self, sequence: int) -> bool:
        """True where the other end may expect a line of this number: the one under way, or the one after it."""
        return sequence == self._next_out or self.awaits(sequence)

    def expects(self, sequence: int) -> bool:
        """True where the next new line has this number."""
        return sequence == (self._last_in + 1) & 63


class SerialLines(SerialLine):
    """The gateway's end of one port: reads for all its hand-shakes, and gives each frame to the one it belongs to.

    `is_running(payload)` tells whether a message is the next record of the running session. `running` is the line of
    the session that runs, or ran last.
    """

    def __init__(self, longest: int, is_running: Callable[[bytes], bool]):
        super().__init__(False, longest)
        self.running = Numbers(longest)
        self._is_running = is_running
        self._limit = longest
        self._asked: Numbers | None = None
        self._new: Numbers | None = None
        self._waiting = False
        self._linger_ms = 0

    @property
    def growing(self) -> bytes:
        """A line of text that has not ended yet; nothing where it may become a frame."""
        return b"" if b"#" in self._buffer else self._buffer

    def ask(self) -> Numbers:
        """A line for a hand-shake that begins: whoever sends its challenge gets the hello that comes next."""
        self._asked = Numbers(self._limit)
        return self._asked

    def withdraw(self) -> None:
        """Nobody waits for a hello any more."""
        self._asked = None

    def proved(self) -> None:
        """The hand-shake is the running session from now on; what the one before had to send is dropped."""
        if self._new is not None:
            self.running, self._new = self._new, None
        self._waiting = False

    def failed(self) -> None:
        """The hand-shake is over; its line finishes what is under way, and answers repetitions for a while."""
        self._waiting = False
        if self._new is not None and self.running.may_be_taken(1):
            # Its refusal would be line 1. A device that still runs here would take that for a record.
            self._new.silence()
        self._linger_ms = LINGER_MS

    def take(self, frame: Frame, events: Events) -> None:
        """Take an intact frame; appends READY, HELLO, PROOF and DATA with their payloads."""
        kind, _, acknowledged, payload = frame
        if kind == HELLO:
            self._hello_came(frame, events)
        elif kind == READY:
            events.append((kind, payload))
        elif self._new is not None and kind == DATA and self._is_new(frame):
            found: Events = []
            self._new.take(frame, found)
            events += [(PROOF, message) for _, message in found]
        elif self._new is not None and kind == ACKNOWLEDGE and self._new.awaits(acknowledged):
            self._new.take(frame, events)
        else:
            self.running.take(frame, events)

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass for what is under way."""
        if not self._waiting:
            self.running.tick(elapsed_ms)
        if self._new is None:
            return
        self._new.tick(elapsed_ms)
        self._linger_ms -= elapsed_ms
        if not self._waiting and self._linger_ms <= 0:
            self._new = None

    def data_to_send(self) -> bytes:
        """The lines to write now, joined."""
        lines = [line.data_to_send() for line in (self._asked, self._new) if line is not None]
        if not self._waiting:
            lines.append(self.running.data_to_send())
        return b"".join(lines)

    def _hello_came(self, frame: Frame, events: Events) -> None:
        if self._asked is not None:
            found: Events = []
            self._asked.take(frame, found)
            if found:
                self._new, self._asked, self._waiting = self._asked, None, True
                events += found
            return
        for line in (self._new, self.running):
            if line is not None:
                line.take(frame, events)

    def _is_new(self, frame: Frame) -> bool:
        return frame[1] == 1 and not (self.running.expects(1) and self._is_running(frame[3]))
