"""What both ends of a device link do once there are keys: records, acknowledgements, heartbeats, events to send.

Rules of this file:
1. Bytes in, events out, bytes to send; no clock (`tick` is told how much time passed), no randomness, no I/O.
2. `receive_data` only buffers. `next_event` returns one event and has done nothing of what follows it.
3. It does not know which end it is; the hand-shakes are in `greet.py` (device) and `gateway_session.py`.
4. A fault of the peer is raised as `PeerError` by `next_event` and ends the session; its text names the state.
5. What a device that only sends does not need is in `incoming.py`: messages of any kind that is not known here.

Events are tuples: (OPENED, …) from the gateway's hand-shake, (EVENT, name, data, number), with the milliseconds that it
lives, if it is a command that does not live for ever, (ONCE, name, data, 0),
(ACK, number), (REJECTED, number, why), (ASK, name, data, request), (REPLY, request, status, data), (HOOKS, [name, …]),
(STATUS, [counters]), (PONG, number) where the gateway has asked for one,
(BYE, reason, wake seconds).
"""

from .envelope import ACK, BYE, EVENT, PING, PONG, STREAM, encode, messages
from .errors import PeerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from .incoming import Incoming
    from .mark import Mark
    from .marks import Marks
    from .ring import Outbox
    from .seal import Sealed
    from .unkeyed import Unkeyed

    Direction = Sealed | Unkeyed
    Event = tuple[Any, ...]

# Events that are no message of the wire.
OPENED = -1
REJECTED = -2

HANDSHAKE = "hand-shake"
GREETED = "waiting for the welcome"
RUNNING = "running"

# Records of a backlog: longer ones save little, and each must fit a board's heap several times over.
BATCH_BYTES = 1024

# Names of one direction that get an alias; a dict of more would cost a board more than it saves on the wire.
MAX_ALIASES = 32

# `[3,` number `]` at the largest number.
MAX_ACK_BYTES = 24

# Characters of a goodbye's reason: it fits the shortest message that a device may take.
MAX_REASON = 60

# Numbers stay exact in every JSON reader (2**53 - 1); at a thousand events a second that is 285,000 years.
MAX_NUMBER = 9007199254740991

# From the first message of the gateway to the first authentic record; a board needs a tenth of it.
HANDSHAKE_MS = 5000

MIN_HEARTBEAT_S = 5
MAX_HEARTBEAT_S = 3600
# A peer that was silent for two of its heartbeat intervals is gone.
SILENT_INTERVALS = 2


def is_count(value: object) -> "TypeGuard[int]":
    """True for an integer that can be a number of an event; `true` is none."""
    return type(value) is int and 0 <= value <= MAX_NUMBER


class Session:
    """One connection of one device, over any carrier that delivers whole messages in order.

    `limit` is the largest carrier message this end takes, in bytes. `outbox` and `marks` outlive the session: events to
    send, and a `Mark` (a gateway: `Marks`) of what was received, None until something was. `closed` says why the
    session is over, `refused` is the reason where it was refused, `room` the bytes of text that a record to the peer
    may have; `messages` are those of the last record that are still to be taken, the next one last. `due` is the mark
    whose `confirmed` the peer is still to be told, or None.
    """

    # Here, because an object with fewer attributes grows its table in smaller pieces.
    closed: "str | None" = None
    refused = 0
    failed = False
    batch = BATCH_BYTES
    due: "Mark | None" = None
    numbered: "Incoming | None" = None

    def __init__(self, limit: int, outbox: "Outbox", marks: "Mark | Marks | None"):
        self.state = HANDSHAKE
        self.room = 0
        self.limit = limit
        self.outbox = outbox
        self.marks = marks
        # None until there are keys; they are not used before.
        self.seal: "Direction" = None  # type: ignore[assignment]
        self.unseal: "Direction" = None  # type: ignore[assignment]
        self._received: "list[bytes]" = []
        self.messages: "list[list[Any]]" = []
        self._control: "list[bytes]" = []
        self._names_out: "dict[str, int]" = {}
        self._next_out = self._silent_ms = self._idle_ms = self._heartbeat_ms = 0

    def begin(self, state: str, seal: "Direction", unseal: "Direction", peer_limit: int, heartbeat_s: int) -> None:
        """There are keys: `seal` and `unseal` are the two directions, `peer_limit` what the other end takes at most."""
        self.state = state
        self.seal, self.unseal = seal, unseal
        self.room = peer_limit - seal.overhead
        self._heartbeat_ms = heartbeat_s * 1000
        self._silent_ms = 0
        if self.outbox:
            self.outbox.cursor = 0

    def receive_data(self, message: bytes) -> None:
        """Take one carrier message."""
        self._received.append(message)

    def next_event(self) -> "Event | None":
        """The next event of what was received, or None; raises `PeerError`, after which the session is closed."""
        try:
            while not self.closed:
                if self.messages:
                    event = self._take(self.messages.pop())
                elif self._received:
                    event = self._read(self._received.pop(0))
                else:
                    return None
                if event:
                    return event
        except PeerError as error:
            self.fail(str(error))
            raise
        return None

    def data_to_send(self) -> "bytes | None":
        """The next carrier message to write, or None; call it until it gives None."""
        parts = self._parts(min(self.room, self.batch), self.room) if not self.failed else None
        if not parts:
            return None
        self._idle_ms = 0
        try:
            return self.seal.seal(parts[0] if len(parts) == 1 else b"[" + b",".join(parts) + b"]")
        except PeerError as error:
            self.fail(str(error))
            return None

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass: pings an idle link, ends a silent one and a hand-shake that drags on (`closed` says so)."""
        self._silent_ms += elapsed_ms
        self._idle_ms += elapsed_ms
        allowed = SILENT_INTERVALS * self._heartbeat_ms if self.state == RUNNING else HANDSHAKE_MS
        if self.closed:
            return
        if self._silent_ms >= allowed:
            self.fail("%s: nothing heard for %d s" % (self.state, self._silent_ms // 1000))
        elif self.state == RUNNING and self._idle_ms >= self._heartbeat_ms:
            self._idle_ms = 0
            self.say(b"[%d,0]" % PING)

    def say(self, message: bytes) -> None:
        """Queue an encoded message that has no number; it goes out before waiting events."""
        self._control.append(message)

    def named(self, name: str) -> bytes:
        """How the next message refers to a name: by its alias, or in full, which gives it one."""
        aliases = self._names_out
        if name in aliases:
            return b"%d" % aliases[name]
        if len(aliases) < MAX_ALIASES:
            aliases[name] = len(aliases) + 1
        return encode(name)

    def close(self, reason: str, wake_s: int = 0) -> None:
        """Say goodbye: the message goes out with what `data_to_send` gives next."""
        if self.state == RUNNING and not self.closed:
            self.say(encode([BYE, reason[:MAX_REASON], wake_s]))
        self.closed = self.closed or reason

    def fail(self, why: str) -> None:
        """End the session without a word."""
        self.closed = self.closed or why
        self.failed = True

    def incoming(self) -> "Incoming":
        """What takes the messages that are not known here; loaded with the first one."""
        if not self.numbered:
            from .incoming import Incoming

            self.numbered = Incoming(self)
        return self.numbered

    def _read(self, message: bytes) -> "Event | None":
        if len(message) > self.limit:
            raise PeerError("%s: a message of %d bytes, %d are allowed" % (self.state, len(message), self.limit))
        found = messages(self.unseal.open(message))
        if self.state == RUNNING:
            self._silent_ms = 0
        if found is None:
            # A sender that cannot check an event sends it alone, so an unreadable record is one event.
            return self.incoming().unreadable()
        found.reverse()
        self.messages = found
        return None

    def _take(self, message: "list[Any]") -> "Event | None":
        kind, size = message[0], len(message)
        if kind == ACK and size > 2 and message[2] != self.outbox.stream:
            return None
        if kind == ACK and size > 1 and is_count(message[1]) and message[1] <= self.outbox.sent:
            self.outbox.acknowledge(message[1])
            return (ACK, message[1])
        if kind == PING and size > 1 and is_count(message[1]):
            self.say(b"[%d,%d]" % (PONG, message[1]))
        elif kind != PONG:
            return (self.numbered or self.incoming()).take(message)
        return None

    def _parts(self, room: int, hard: int) -> "list[bytes]":
        """The messages of one record: up to `room` bytes of text, or one message of up to `hard`."""
        parts: "list[bytes]" = []
        room -= 2
        while self._control and (not parts or len(self._control[0]) <= room):
            parts.append(self._control.pop(0))
            room -= len(parts[-1]) + 1
        if self.due and (not parts or room >= MAX_ACK_BYTES):
            parts.append(b"[%d,%d]" % (ACK, self.due.confirmed))
            self.due = None
            room -= len(parts[-1]) + 1
        if self.outbox.stream and not self._control and not self.closed:
            self._events(parts, room, hard)
        return parts

    def _events(self, parts: "list[bytes]", room: int, hard: int) -> None:
        outbox = self.outbox
        while outbox.cursor < len(outbox.entries):
            number, name, payload = outbox.entries[outbox.cursor]
            alias = self._names_out.get(name)
            message = b"[%d,%s,%s]" % (EVENT, b"%d" % alias if alias else encode(name), payload)
            size = len(message)
            if size > hard and self.state == RUNNING:
                # This link cannot carry it; the gap is declared before the next event.
                outbox.remove(outbox.cursor, outbox.cursor + 1)
                outbox.dropped += 1
                continue
            if number != self._next_out:
                stream = b'[%d,"%s",%d]' % (STREAM, outbox.stream.encode(), number)  # type: ignore[union-attr]
                if parts and len(stream) > room:
                    return
                parts.append(stream)
                room -= len(stream) + 1
                self._next_out = number
            if size > room and (parts or size > hard):
                return
            parts.append(message)
            room -= size + 1
            self._next_out = number + 1
            if not alias:
                self.named(name)
            outbox.cursor += 1
            outbox.sent = max(outbox.sent, number)
