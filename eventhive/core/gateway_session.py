"""The gateway's hand-shake: challenge out; hello and first record in; welcome, or refusal, out.

Until the first record proved authentic, nothing but the challenge is sent and nothing about the device changes. An
unknown id, a wrong key and a revoked key take the same path and get the same bytes.
"""

from .clear import (
    CHALLENGE_KIND,
    HELLO_HEAD_BYTES,
    HELLO_KIND,
    REFUSE_KIND,
    SEALED,
    STREAM_BYTES,
    VERSION,
)
from .envelope import OPEN, PING, PONG, WELCOME, messages
from .errors import PeerError
from .ids import is_id
from .keys import session_keys
from .refusals import REFUSE_KEY, REFUSE_UNKEYED, REFUSE_VERSION, refusal_text
from .seal import Sealed
from .session import HANDSHAKE, MAX_HEARTBEAT_S, MIN_HEARTBEAT_S, OPENED, RUNNING, Session, is_count
from .unkeyed import Unkeyed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .mac import Mac
    from .mark import Mark
    from .marks import Marks
    from .ring import Outbox
    from .session import Event

# Everything a peer may send before it is known: hello and first record.
FIRST_FLIGHT_BYTES = 1024

# Shorter messages would not hold a goodbye, or the name of an event in full, beside a tag.
MIN_LIMIT = 128

_PROVING = "waiting for the first record"
_PROVED = "waiting for admission"


def pack_challenge(mode: int, limit: int, nonce: bytes) -> bytes:
    """The challenge of a gateway that speaks exactly `VERSION`."""
    return bytes((CHALLENGE_KIND, VERSION, VERSION, mode)) + limit.to_bytes(2, "big") + nonce


class Hello:
    """A hello as it was received; attributes as in the layout, `stream` in bytes, `name` the device's id."""

    def __init__(self, frame: bytes):
        if (
            len(frame) <= HELLO_HEAD_BYTES
            or frame[0] != HELLO_KIND
            or len(frame) != HELLO_HEAD_BYTES + frame[34]
            or frame[2] > SEALED
        ):
            raise PeerError("not a hello")
        self.version = frame[1]
        self.mode = frame[2]
        self.keygen = frame[3]
        self.limit = int.from_bytes(frame[4:6], "big")
        self.stream = bytes(frame[6:14])
        self.attempt = int.from_bytes(frame[14:18], "big")
        try:
            self.name = bytes(frame[HELLO_HEAD_BYTES:]).decode()
        except UnicodeError:
            self.name = ""
        if not is_id(self.name):
            raise PeerError("the id in a hello is not 1 to 32 letters, digits, '-' or '_'")


class GatewaySession(Session):
    """The gateway's end of one connection.

    `nonce` is 16 fresh random bytes, `mode` what the challenge demands, `find(hello)` gives the `link_mac` under which
    that device must prove itself (for an unknown one, that of a key nobody has), or None to let it in unkeyed. After
    (OPENED, hello), call `accept` or `refuse`.
    """

    def __init__(self, nonce: bytes, mode: int, limit: int, find: "Callable[[Hello], Mac | None]"):
        # What is None here is known when the device has proved itself, and not used before.
        Session.__init__(self, limit, None, None)  # type: ignore[arg-type]
        self.hello: Hello = None  # type: ignore[assignment]
        self._find = find
        self._mode = mode
        self._challenge = pack_challenge(mode, limit, nonce)
        self._clear: "list[bytes]" = [self._challenge]
        self._arrived = 0
        self.closed = self.due = self.numbered = None
        self.failed = False
        # What `accept` sets. CPython keeps one table of names for all objects of a class, but only of names that the
        # first of them had; with others, each object has its own, of 1.5 KB.
        self.receive_data = self._read = self._take = None  # type: ignore[assignment, method-assign]
        del self.receive_data, self._read, self._take

    @property
    def silent_ms(self) -> int:
        """How long nothing was heard of the device, as exactly as `tick` is called."""
        return self._silent_ms

    def stream(self, fresh: str) -> str:
        """The stream that the device goes on with, or `fresh` in the first session of a boot."""
        return self.hello.stream.hex() if self.hello.stream != bytes(STREAM_BYTES) else fresh

    def accept(self, stream: str, outbox: "Outbox", marks: "Marks", time_ms: int) -> None:
        """Admit the proven device, which numbers its events under `stream`; `outbox` holds those for it."""
        mark = marks.find(stream)
        self.outbox, self.marks = outbox, marks
        self.say(b'[%d,%d,"%s",%d]' % (WELCOME, time_ms, stream.encode(), mark.confirmed if mark else 0))
        self.begin(RUNNING, self.seal, self.unseal, self.hello.limit, self._heartbeat_ms // 1000)
        outbox.largest = self.room
        # Nobody asks for these any more.
        self._find = self.hello = None  # type: ignore[assignment]
        self._challenge = b""
        # From here on the base class alone, without a detour: every event comes this way.
        self.receive_data = self._received.append  # type: ignore[assignment, method-assign]
        self._read = super()._read  # type: ignore[method-assign]
        self._take = super()._take  # type: ignore[method-assign]

    def refuse(self, reason: int, why: str = "") -> None:
        """End the hand-shake with a refusal that the device can show to a person."""
        self._clear = [bytes((REFUSE_KIND, reason))]
        self.refused = reason
        self.fail(why or refusal_text(reason))

    def ping(self, number: int) -> None:
        """Ask for a sign of life; `next_event` gives (PONG, number) when it comes."""
        self.say(b"[%d,%d]" % (PING, number))
        self._take = self._take_pong  # type: ignore[method-assign]

    def acknowledge(self, mark: "Mark") -> None:
        """`mark.confirmed` has grown: tell the sender, with the next record, if it is what it sends now."""
        if mark is self.incoming().mark:
            self.due = mark

    @property
    def has_output(self) -> bool:
        """False where `data_to_send` would give nothing, and the session goes on."""
        if self.state != RUNNING or self.closed or self.due or self._control:
            return True
        return self.outbox.cursor < len(self.outbox.entries)

    def data_to_send(self) -> "bytes | None":
        """As for any session; before admission, the challenge, or a refusal."""
        if self._clear:
            return self._clear.pop()
        return Session.data_to_send(self) if self.state == RUNNING else None

    def receive_data(self, message: bytes) -> None:
        """As for any session; before admission, bounded in all."""
        if self.state != RUNNING:
            self._arrived += len(message)
            if self._arrived > FIRST_FLIGHT_BYTES:
                self.fail("%s: more than %d bytes" % (self.state, FIRST_FLIGHT_BYTES))
                return
        Session.receive_data(self, message)

    def _read(self, message: bytes) -> "Event | None":
        if self.state == HANDSHAKE:
            self._greeted(message)
            return None
        try:
            text = self.unseal.open(message)
        except PeerError:
            self.refuse(REFUSE_KEY, "device '%s' is unknown, or its key is not the one on file" % self.hello.name)
            return None
        self.messages = messages(text) or [[None]]
        self.messages.reverse()
        return None

    def _greeted(self, message: bytes) -> None:
        if len(message) > 1 and message[0] == HELLO_KIND and message[1] != VERSION:
            # Before its layout is looked at, which may be another one.
            self.refuse(REFUSE_VERSION, "a device that speaks link version %d, not %d" % (message[1], VERSION))
            return
        hello = Hello(message)
        if hello.limit < MIN_LIMIT:
            what = "device '%s' takes messages of %d bytes, %d are needed"
            raise PeerError(what % (hello.name, hello.limit, MIN_LIMIT))
        link = self._find(hello)
        if hello.mode == SEALED:
            # Whoever is unknown has a code to prove as well, which nobody can.
            up, down = session_keys(link, self._challenge, message)  # type: ignore[arg-type]
            self.seal, self.unseal = Sealed(down), Sealed(up)
        elif self._mode == SEALED or link is not None:
            what = "device '%s' came without a key: enrol it, or give it the key it has"
            self.refuse(REFUSE_UNKEYED, what % hello.name)
            return
        else:
            self.seal = self.unseal = Unkeyed()
        self.hello = hello
        self.state = _PROVING

    def _take(self, message: "list[Any]") -> "Event | None":
        if message[0] != OPEN or len(message) < 2 or not is_count(message[1]):
            raise PeerError("device '%s': its first message is not an open" % self.hello.name)
        if not MIN_HEARTBEAT_S <= message[1] <= MAX_HEARTBEAT_S:
            raise PeerError("device '%s': heartbeat of %d s" % (self.hello.name, message[1]))
        self._heartbeat_ms = message[1] * 1000
        self.state = _PROVED
        return (OPENED, self.hello)

    def _take_pong(self, message: "list[Any]") -> "Event | None":
        # Of a ping of `tick`, which has number 0, nobody is told.
        if message[0] != PONG or len(message) < 2 or not is_count(message[1]) or not message[1]:
            return super()._take(message)
        self._take = super()._take  # type: ignore[method-assign]
        return (PONG, message[1])
