"""The device's hand-shake: challenge in; hello and the first record out; welcome in.

The first record goes out with the hello, before the gateway has answered, and carries as many waiting events as fit;
but in the first session of a boot, which has no stream yet and so no numbers.
"""

from .clear import NO_STREAM, NONCE_BYTES, SEALED, UNKEYED, VERSION, pack_hello, refusal, unpack_challenge
from .envelope import OPEN, WELCOME
from .errors import PeerError
from .seal import Sealed, session_keys
from .session import HANDSHAKE, OPENED, RUNNING, Session, is_count

# Hello and first record together; the gateway takes no more than 1 KiB from somebody it does not know yet.
FIRST_FLIGHT_BYTES = 768

_GREETED = "waiting for the welcome"


class DeviceSession(Session):
    """The device's end of one connection.

    `name` is the device's id, `link` its `link_mac` (None: without a key), `attempt` a number that no earlier connection
    of this device has used, `seed` fresh random bytes; `hooks` are the names it wants to receive. `refused` becomes the
    reason when the gateway refuses.
    """

    def __init__(self, name, link, keygen, attempt, seed, limit, heartbeat_s, hooks, outbox, marks):
        Session.__init__(self, limit, outbox, marks)
        self.refused = 0
        self._name_of_device = name
        self._link = link
        self._keygen = keygen
        self._attempt = attempt
        self._seed = seed
        self._room = 0
        self._heartbeat_ms = heartbeat_s * 1000
        self._control.append(b"[%d,%d]" % (OPEN, heartbeat_s))
        self.hooks(hooks)

    def data_to_send(self) -> "bytes | None":
        """As for any session; before the welcome, the hello and one record."""
        if self.state == _GREETED and self._room and not self._clear:
            room = min(self._room, self._peer_limit) - self._seal.overhead
            self._room = 0
            return self._record(room, room)
        return Session.data_to_send(self)

    def _read(self, message: bytes) -> "tuple | None":
        if self.state == HANDSHAKE:
            return self._greet(message)
        if self.state == _GREETED:
            reason = refusal(message)
            if reason is not None:
                from .refusals import refusal_text

                self.refused = reason
                raise PeerError("the gateway refused '%s': %s" % (self._name_of_device, refusal_text(reason)))
        return Session._read(self, message)

    def _greet(self, challenge: bytes) -> None:
        lowest, highest, mode, self._peer_limit = unpack_challenge(challenge)
        if not lowest <= VERSION <= highest:
            raise PeerError("the gateway speaks link versions %d to %d, this device %d" % (lowest, highest, VERSION))
        if mode == SEALED and not self._link:
            raise PeerError("the gateway takes no device without a key; enrol this one and give it its eventhive.json")
        nonce = bytes(NONCE_BYTES)
        if self._link:
            nonce = self._link.digest(b"nonce", self._seed + self._attempt.to_bytes(4, "big"))[:NONCE_BYTES]
        stream = bytes.fromhex(self._outbox.stream) if self._outbox.stream else NO_STREAM
        mode = SEALED if self._link else UNKEYED
        hello = pack_hello(mode, self._keygen, self._limit, stream, self._attempt, nonce, self._name_of_device)
        if self._link:
            up, down = session_keys(self._link, challenge, hello)
            self._seal, self._open = Sealed(up), Sealed(down)
        else:
            from .unkeyed import Unkeyed

            self._seal = self._open = Unkeyed()
        self._outbox.largest = self._peer_limit - self._seal.overhead
        self._outbox.rewind()
        self._clear.append(hello)
        self._room = FIRST_FLIGHT_BYTES - len(hello)
        self.state = _GREETED

    def _take(self, message: list) -> "tuple | None":
        if self.state == RUNNING:
            return Session._take(self, message)
        if message[0] != WELCOME or len(message) < 4:
            raise PeerError("%s: got something else" % self.state)
        time_ms, stream, acked = message[1:4]
        outbox = self._outbox
        if not is_count(time_ms) or type(stream) is not str or len(stream) != 16 or not is_count(acked):
            raise PeerError("%s: malformed" % self.state)
        if acked >= outbox.next or stream != (outbox.stream or stream):
            raise PeerError("%s: it is for events this device never sent" % self.state)
        outbox.stream = stream
        outbox.acknowledge(acked)
        self._silent_ms = 0
        self.state = RUNNING
        return (OPENED, time_ms)
