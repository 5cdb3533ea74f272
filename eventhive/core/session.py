"""What both ends of a device link do once there are keys: records, numbers, acknowledgements, aliases, heartbeats.

Rules of this file:
1. Bytes in, events out, bytes to send; no clock (`tick` is told how much time passed), no randomness, no I/O.
2. `receive_data` only buffers. `next_event` returns one event and has done nothing of what follows it.
3. It does not know which end it is; the two hand-shakes are in `device_session.py` and `gateway_session.py`.
4. A fault of the peer is raised as `PeerError` by `next_event` and ends the session; its text names the state.

Events are tuples: (OPENED, …) from the hand-shakes, (EVENT, name, data, number), (ONCE, name, data), (ACK, number),
(REJECTED, number, why), (HOOKS, [name, …]), (BYE, reason, wake seconds).
"""

from .envelope import (
    ACK,
    BYE,
    EVENT,
    HOOKS,
    ONCE,
    PING,
    PONG,
    STREAM,
    check_data,
    encode,
    join,
    messages,
)
from .errors import LocalError, PeerError
from .names import check_name

# Events that are no message of the wire.
OPENED = -1
REJECTED = -2

# Records of a backlog: longer ones save little, and each must fit a board's heap several times over.
BATCH_BYTES = 1024

# Names of one direction that get an alias; a dict of more would cost a board more than it saves on the wire.
MAX_ALIASES = 32

# `[3,` number `]` at the largest number.
MAX_ACK_BYTES = 24

# Numbers stay exact in every JSON reader (2**53 - 1); at a thousand events a second that is 285,000 years.
MAX_NUMBER = (1 << 53) - 1

# From the first message of the gateway to the first authentic record; a board needs a tenth of it.
HANDSHAKE_MS = 5000

MIN_HEARTBEAT_S = 5
MAX_HEARTBEAT_S = 3600
# A peer that was silent for two of its heartbeat intervals is gone.
SILENT_INTERVALS = 2

HANDSHAKE = "hand-shake"
RUNNING = "running"


def is_count(value: object) -> bool:
    """True for an integer that can be a number of an event; `true` is none."""
    return type(value) is int and 0 <= value <= MAX_NUMBER


class Session:
    """One connection of one device, over any carrier that delivers whole messages in order.

    `limit` is the largest carrier message this end takes, in bytes; `outbox` and `marks` outlive the session.
    """

    def __init__(self, limit: int, outbox, marks):
        self.state = HANDSHAKE
        self.closed: "str | None" = None
        self.batch = BATCH_BYTES
        self.rejected = 0
        self._heartbeat_ms = 0
        self._failed = False
        self._limit = limit
        self._peer_limit = 0
        self._outbox = outbox
        self._marks = marks
        self._mark = None
        self._seal = self._open = None
        self._received: "list[bytes]" = []
        self._messages: "list" = []
        self._clear: "list[bytes]" = []
        self._control: "list[bytes]" = []
        self._names_in: "list[str]" = []
        self._names_out: "dict[str, int]" = {}
        self._next_in = 0
        self._next_out = 0
        self._ack_due = False
        self._silent_ms = 0
        self._idle_ms = 0

    def receive_data(self, message: bytes) -> None:
        """Take one carrier message."""
        self._received.append(message)

    def next_event(self) -> "tuple | None":
        """The next event of what was received, or None; raises `PeerError`, after which the session is closed."""
        try:
            while self.closed is None:
                if self._messages:
                    event = self._take(self._messages.pop())
                elif self._received:
                    event = self._read(self._received.pop(0))
                else:
                    return None
                if event is not None:
                    return event
        except PeerError as error:
            self._fail(str(error))
            raise
        return None

    def data_to_send(self) -> "bytes | None":
        """The next carrier message to write, or None; call it until it gives None."""
        if self._clear:
            return self._clear.pop(0)
        if self._failed or self.state != RUNNING:
            return None
        hard = self._peer_limit - self._seal.overhead
        return self._record(min(hard, self.batch), hard)

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass: pings an idle link, ends a silent one and a hand-shake that drags on (`closed` says so)."""
        self._silent_ms += elapsed_ms
        if self.closed:
            return
        if self.state != RUNNING:
            if self._silent_ms >= HANDSHAKE_MS:
                self._fail("%s: not complete after %d s" % (self.state, HANDSHAKE_MS // 1000))
        elif self._silent_ms >= SILENT_INTERVALS * self._heartbeat_ms:
            self._fail("nothing heard for %d s" % (self._silent_ms // 1000))
        else:
            self._idle_ms += elapsed_ms
            if self._idle_ms >= self._heartbeat_ms:
                self._idle_ms = 0
                self._control.append(b"[%d,0]" % PING)

    def close(self, reason: str, wake_s: int = 0) -> None:
        """Say goodbye: the message goes out with what `data_to_send` gives next."""
        if self.state == RUNNING and not self.closed:
            self._control.append(encode([BYE, reason, wake_s]))
        self.closed = self.closed or reason

    def confirm(self) -> None:
        """Acknowledge all that was taken so far: it is where it has to be."""
        self._mark.confirmed = self._mark.taken
        self._ack_due = True

    def acknowledge(self, mark) -> None:
        """`mark.confirmed` has grown: tell the sender, with the next record."""
        if mark is self._mark:
            self._ack_due = True

    def once(self, name: str, payload: bytes) -> bool:
        """Send an event that may be lost, now; False when there is no session or it is too long for the peer."""
        message = b"[%d,%s,%s]" % (ONCE, encode(name), payload)
        if self.state != RUNNING or self.closed or len(message) > self._peer_limit - self._seal.overhead:
            return False
        self._control.append(message)
        return True

    def hooks(self, names: "list[str]") -> None:
        """Tell the peer which events this end hooks, in messages that each fit any link."""
        for name in names:
            self._control.append(encode([HOOKS, name]))

    def _fail(self, why: str) -> None:
        self.closed = why
        self._failed = True

    def _read(self, message: bytes) -> "tuple | None":
        if len(message) > self._limit:
            raise PeerError("%s: a message of %d bytes, %d are allowed" % (self.state, len(message), self._limit))
        found = messages(self._open.open(message))
        if self.state == RUNNING:
            self._silent_ms = 0
        if found is None:
            # A sender that cannot check an event sends it alone, so an unreadable record is one event.
            return self._reject("not JSON") if self._count() else None
        found.reverse()
        self._messages = found
        return None

    def _take(self, message: list) -> "tuple | None":
        kind = message[0]
        size = len(message)
        if kind == EVENT and size >= 3:
            return self._take_event(message)
        if kind == ACK and size >= 2:
            return self._take_ack(message)
        if kind == STREAM and size >= 3:
            return self._take_stream(message)
        if kind == PING and size >= 2 and is_count(message[1]):
            self._control.append(b"[%d,%d]" % (PONG, message[1]))
        elif kind == BYE and size >= 3:
            self.closed = "the other end said goodbye: %s" % message[1]
            return (BYE, message[1], message[2])
        elif kind == HOOKS:
            return (HOOKS, message[1:])
        elif kind == ONCE and size >= 3:
            return self._take_once(message)
        elif kind != PONG:
            raise PeerError("%s: message of unknown kind or too short: %s" % (self.state, str(message)[:60]))
        return None

    def _take_event(self, message: list) -> "tuple | None":
        name = self._name(message[1])
        if not self._count():
            return None
        number = self._mark.taken
        try:
            check_data(message[2])
        except LocalError as error:
            return self._reject(str(error))
        return (EVENT, name, message[2], number)

    def _take_once(self, message: list) -> "tuple | None":
        name = self._name(message[1])
        try:
            check_data(message[2])
        except LocalError:
            self.rejected += 1
            return None
        return (ONCE, name, message[2])

    def _count(self) -> bool:
        """Number the event at hand; False when it was taken before, which is acknowledged again."""
        number = self._next_in
        mark = self._mark
        if mark is None:
            raise PeerError("%s: an event before its stream" % self.state)
        self._next_in = number + 1
        if number <= mark.taken:
            self._ack_due = self._ack_due or number <= mark.confirmed
            return False
        mark.taken = number
        return True

    def _reject(self, why: str) -> tuple:
        self.rejected += 1
        return (REJECTED, self._mark.taken, why)

    def _take_ack(self, message: list) -> "tuple | None":
        number = message[1]
        if not is_count(number) or number > self._outbox.sent:
            raise PeerError("%s: acknowledges %s, sent was %d" % (self.state, str(number)[:20], self._outbox.sent))
        if len(message) > 2 and message[2] != self._outbox.stream:
            return None
        self._outbox.acknowledge(number)
        return (ACK, number)

    def _take_stream(self, message: list) -> None:
        stream, first = message[1], message[2]
        if type(stream) is not str or len(stream) != 16 or not is_count(first) or not first:
            raise PeerError("%s: malformed stream %s" % (self.state, str(message)[:60]))
        self._mark = self._marks.resume(stream, first)
        self._next_in = first

    def _name(self, name: object) -> str:
        if type(name) is int:
            if 0 < name <= len(self._names_in):
                return self._names_in[name - 1]
            raise PeerError("%s: alias %d was never given" % (self.state, name))
        try:
            check_name(name)
        except LocalError as error:
            raise PeerError("%s: %s" % (self.state, error))
        if len(self._names_in) < MAX_ALIASES and name not in self._names_in:
            self._names_in.append(name)
        return name

    def _record(self, soft: int, hard: int) -> "bytes | None":
        """One record of what waits: up to `soft` bytes of text, or one message of up to `hard`."""
        parts: "list[bytes]" = []
        room = soft - 2
        while self._control and (not parts or len(self._control[0]) <= room):
            parts.append(self._control.pop(0))
            room -= len(parts[-1]) + 1
        if self._ack_due and (not parts or room >= MAX_ACK_BYTES):
            self._ack_due = False
            parts.append(b"[%d,%d]" % (ACK, self._mark.confirmed))
            room -= len(parts[-1]) + 1
        if not self._control and self._outbox.stream and not self.closed:
            self._events(parts, room, hard)
        if not parts:
            return None
        self._idle_ms = 0
        return self._seal.seal(join(parts))

    def _events(self, parts: "list[bytes]", room: int, hard: int) -> None:
        outbox = self._outbox
        entry = outbox.head()
        while entry:
            number, name, payload = entry
            alias = self._names_out.get(name)
            message = b"[%d,%d,%s]" % (EVENT, alias, payload) if alias else b"[%d,%s,%s]" % (EVENT, encode(name), payload)
            stream = b""
            if number != self._next_out:
                stream = b'[%d,"%s",%d]' % (STREAM, outbox.stream.encode(), number)
            need = len(stream) + len(message) + 1
            if need > room and (parts or need + 2 > hard):
                if parts or self.state != RUNNING:
                    return
                outbox.discard()
            else:
                if stream:
                    parts.append(stream)
                parts.append(message)
                room -= need
                self._next_out = number + 1
                if not alias and len(self._names_out) < MAX_ALIASES:
                    self._names_out[name] = len(self._names_out) + 1
                outbox.advance()
            entry = outbox.head()
