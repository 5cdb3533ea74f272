"""What the gateway knows of each device, whether or not it is connected, and who is admitted.

Rules of this file: no I/O and no clock. A device outlives its sessions; the newest session that proved its key is the
one it has. Nothing changes for a device before that proof.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from ..core.clear import SEALED, STREAM_BYTES
from ..core.envelope import encode
from ..core.errors import LocalError
from ..core.gateway_session import GatewaySession, Hello
from ..core.globs import glob_match
from ..core.keys import KEY_BYTES, link_mac
from ..core.mac import Mac
from ..core.mark import Mark
from ..core.marks import Marks
from ..core.names import local_name
from ..core.outcomes import NOBODY, VALUE
from ..core.refusals import REFUSE_ATTEMPT, REFUSE_BUSY
from ..core.requests import MAX_REQUESTS, ask, reply
from ..core.ring import Outbox

# Commands that wait for one device, in bytes with their overhead: some hundred small ones.
OUTBOX_BYTES = 64 * 1024

# Before a device said how long its messages may be, one for it may be as long as the longest that any device takes.
DEFAULT_LARGEST = 1024

# Without a key, anybody can name as many devices as they like, and each costs memory until the gateway ends.
MAX_DEVICES = 10_000

# Boot and connection share the number of an attempt; the lower bits count the connections of one boot.
CONNECTION_BITS = 12

logger = logging.getLogger("eventhive.gateway")


# A key, and its number.
Secret = tuple[bytes, int]


class Carrier(Protocol):
    """What a session of a device runs over: a websocket or a serial line."""

    kind: str

    @property
    def address(self) -> str:
        """Where the device is, for people."""

    def wake(self) -> None:
        """There is something to send."""

    def end(self) -> None:
        """The session is closed: send what it still has to say, and close."""


class Question(Protocol):
    """A request of the network, which is answered once."""

    data: Any

    def answer(self, value: Any) -> None:
        """With what a hook returned."""

    def fail(self, why: str) -> None:
        """With why there is no answer."""

    def nobody(self) -> None:
        """With: no function hooks it here."""


class Rights:
    """What one device may publish (globs of full names) and receive (globs of `channel/event`); no glob, no right."""

    def __init__(self, publish: list[str], receive: list[str]):
        self.publish = tuple(publish)
        self.receive = tuple(receive)

    def may_publish(self, name: str) -> bool:
        """True when the device may send an event of this full name."""
        return any(glob_match(name, pattern) for pattern in self.publish)

    def may_receive(self, name: str) -> bool:
        """True when the device may hook this full name."""
        return any(glob_match(local_name(name), pattern) for pattern in self.receive)


class Device:
    """One device: rights, outbox of what is for it, marks of what came from it, and its session if it has one.

    Counters: `events` taken, `rejected` unusable ones, `refused` those it had no right to or whose network does not
    exist, `unhooked` names that it may not hook, `undelivered` commands too long or not JSON. `asking` are its requests
    that have no answer yet.
    """

    def __init__(self, name: str, rights: Rights, secret: Secret | None, stream: str, metadata_key: str):
        self.name = name
        self.rights = rights
        self.give(secret, None)
        self.outbox = Outbox(OUTBOX_BYTES, DEFAULT_LARGEST, stream)
        self.marks = Marks()
        self.session: GatewaySession | None = None
        self.carrier: Carrier | None = None
        self.hooks: set[str] = set()
        self.routes: dict[str, Any] = {}
        # Where its last session came from.
        self.address = ""
        self.attempt = -1
        self.stream = ""
        self.events = self.rejected = self.refused = self.unhooked = self.undelivered = 0
        self.asking = 0
        self._metadata_key = metadata_key
        self._questions: dict[int, Question] = {}
        self._asked = 0
        self._unconfirmed: deque[Receipt] = deque()

    @property
    def enrolled(self) -> bool:
        """True for one that has a key."""
        return self.secret is not None

    def give(self, secret: Secret | None, next_secret: Secret | None) -> None:
        """Set its key, and the one that it is to use from now on, and has not used yet."""
        self.secret, self.next_secret = secret, next_secret
        # Made here, and not for each hello: how long an answer takes would tell whether an id is known.
        self._proofs = {keygen: link_mac(key) for key, keygen in filter(None, (next_secret, secret))}

    def proof(self, keygen: int) -> Mac | None:
        """The code under which it proves itself with its key of this number; None where it has none such."""
        return self._proofs.get(keygen)

    @property
    def boot(self) -> int:
        """The number of the boot that its last session belonged to, -1 before the first."""
        return self.attempt >> CONNECTION_BITS

    @property
    def mark(self) -> Mark:
        """How far the stream that it now sends was received; there is one from its first event on."""
        return cast(Mark, self.marks.last)

    def deliver(self, topic: str, data: object) -> None:
        """Queue an event of the network for this device; called by the network that it is subscribed to."""
        try:
            queued = self.outbox.put(topic, self._encoded(data))
        except LocalError as error:
            self.undelivered += 1
            self.warn(self.undelivered, "%s not sent: %s", topic, error)
            return
        if not queued:
            waiting = len(self.outbox.entries)
            self.warn(self.outbox.dropped, "%s dropped: %d commands wait for it already", topic, waiting)
        elif self.carrier is not None:
            self.carrier.wake()

    def ask(self, topic: str, question: Question) -> None:
        """Pass a request of the network on, if there is a connection; it is kept for no other one."""
        if self.session is None or self.carrier is None:
            question.fail(f"device '{self.name}' is offline: it was not asked")
            return
        self._asked += 1
        try:
            ask(self.session, self._asked, topic, self._encoded(question.data))
        except LocalError as error:
            question.fail(str(error))
            return
        self._questions[self._asked] = question
        if len(self._questions) > MAX_REQUESTS:
            # Whoever asked has most likely given up by now: the device has left so many later ones unanswered, too.
            self._questions.pop(next(iter(self._questions))).fail(f"device '{self.name}' leaves requests unanswered")
        self.carrier.wake()

    def replied(self, number: int, status: int, data: object) -> None:
        """The device has answered a request."""
        question = self._questions.pop(number, None)
        if question is None:
            return
        if status == VALUE:
            question.answer(data)
        elif status == NOBODY:
            question.nobody()
        else:
            question.fail(str(data))

    def reply(self, session: GatewaySession | None, number: int, status: int, data: object) -> None:
        """Answer a request of the device, unless it has another session by now."""
        if session is not None and session is self.session and self.carrier is not None:
            reply(session, number, status, data)
            self.carrier.wake()

    def detach(self) -> None:
        """It has no session any more; what it was asked has no answer."""
        self.session = self.carrier = None
        questions, self._questions = self._questions, {}
        for question in questions.values():
            question.fail(f"device '{self.name}' went offline: it may have been carried out")

    def warn(self, count: int, what: str, *args: object) -> None:
        """Log the first, 10th, 100th, … time of what a faulty device, or a caller, could cause without end."""
        if str(count).strip("0") == "1":
            logger.warning(f"device %s: {what} (%d so far)", self.name, *args, count)

    def confirm(self, receipt: "Receipt") -> None:
        """An event is where it has to be at once: acknowledge it, unless an earlier one is still on its way."""
        receipt.waits = False
        if self._unconfirmed:
            self._unconfirmed.append(receipt)
            return
        receipt.mark.confirmed = receipt.number
        if self.session is not None:
            self.session.acknowledge(receipt.mark)

    def await_confirmation(self, receipt: "Receipt") -> None:
        """An event is on its way: acknowledge it, and what came after it, once its receipt is called."""
        self._unconfirmed.append(receipt)

    def not_taken(self, receipt: "Receipt", why: str) -> None:
        """No network can hold an event: as if it had never arrived, so that the device keeps it and comes again."""
        receipt.mark.taken = receipt.number - 1
        if self.session is not None and self.carrier is not None:
            self.session.close(why)
            self.carrier.end()

    def settle(self) -> None:
        """Acknowledge, in order, what has been confirmed."""
        waiting = self._unconfirmed
        while waiting and not waiting[0].waits:
            receipt = waiting.popleft()
            receipt.mark.confirmed = receipt.number
            if self.session is not None:
                self.session.acknowledge(receipt.mark)
        if self.carrier is not None:
            self.carrier.wake()

    def _encoded(self, data: object) -> bytes:
        if isinstance(data, dict) and self._metadata_key in data:
            data = {key: value for key, value in data.items() if key != self._metadata_key}
        return encode(data)


class Receipt:
    """One event that a network was given; the network calls it when its carrier has confirmed the event."""

    __slots__ = ("device", "mark", "number", "waits")

    def __init__(self, device: Device, mark: Mark, number: int):
        self.device = device
        self.mark = mark
        self.number = number
        self.waits = True

    def __call__(self) -> None:
        """Confirm the event."""
        self.waits = False
        self.device.settle()


@dataclass(frozen=True)
class Enrolled:
    """What the key file says of one device; keys stay out of its repr. `next_secret`: one that it has not used yet."""

    key: bytes = field(repr=False)
    keygen: int
    publish: list[str]
    receive: list[str]
    next_secret: Secret | None = field(default=None, repr=False)


class Devices:
    """All devices that are enrolled, or were admitted without a key.

    `random_bytes(n)` gives fresh random bytes; `networks` are the names that an unkeyed device may publish to.
    `promoted(name, key)` is called when a device has used its next key for the first time.
    """

    def __init__(self, random_bytes: Callable[[int], bytes], networks: list[str], metadata_key: str):
        self.by_name: dict[str, Device] = {}
        self._random = random_bytes
        self._networks = networks
        self._metadata_key = metadata_key
        # An unknown id is asked for the proof of a key that nobody has, so that it looks like one with a wrong key.
        self._nobody = link_mac(random_bytes(KEY_BYTES))
        self.promoted: Callable[[str, bytes], object] = lambda name, key: None

    def enrol(self, entries: dict[str, Enrolled]) -> list[Device]:
        """Take over the content of the key file: new devices, keys and rights; returns those that are no more."""
        gone = []
        for name, device in list(self.by_name.items()):
            if name not in entries and device.enrolled:
                self._end(device, "this device was removed from the key file")
                gone.append(self.by_name.pop(name))
        for name, entry in entries.items():
            known = self.by_name.get(name)
            fresh = self._new(name, entry)
            if known is None or known.secret != fresh.secret:
                if known is not None:
                    self._end(known, "this device has a new key")
                    gone.append(known)
                self.by_name[name] = fresh
            else:
                known.rights = fresh.rights
                known.give(fresh.secret, fresh.next_secret)
                known.routes.clear()
        return gone

    def find(self, hello: Hello) -> Mac | None:
        """The code under which the device of a hello must prove itself; None for an unknown one without a key."""
        device = self.by_name.get(hello.name)
        if device is not None and device.enrolled:
            return device.proof(hello.keygen) or self._nobody
        return self._nobody if hello.mode == SEALED else None

    def admit(self, session: GatewaySession, hello: Hello, carrier: Carrier, time_ms: int) -> Device | None:
        """Give a proven device its session; None when it was refused. What it had before is told goodbye."""
        device = self.by_name.get(hello.name)
        if device is None:
            if len(self.by_name) >= MAX_DEVICES:
                session.refuse(REFUSE_BUSY, f"device '{hello.name}' has no key, and {MAX_DEVICES} devices are known")
                return None
            device = self.by_name[hello.name] = self._new(hello.name, None)
        stream = session.stream(self._random(STREAM_BYTES).hex())
        same_boot = hello.attempt >> CONNECTION_BITS == device.boot
        if stream == device.stream and hello.attempt <= device.attempt:
            why = (
                f"device '{hello.name}' came with an old boot count, after a session from {device.address}: "
                "is there a second one with this id and key, or was its file system restored?"
            )
            session.refuse(REFUSE_ATTEMPT, why)
            return None
        if device.next_secret is not None and device.next_secret[1] == hello.keygen:
            used = device.next_secret
            device.give(used, None)
            logger.info("device %s: uses its new key; the old one is worth nothing any more", device.name)
            self.promoted(device.name, used[0])
        if not same_boot:
            self._forget_sent(device)
        self._end(device, f"replaced by a connection from {carrier.address}")
        device.attempt, device.stream = hello.attempt, stream
        device.session, device.carrier, device.address = session, carrier, carrier.address
        session.accept(stream, device.outbox, device.marks, time_ms)
        return device

    def _new(self, name: str, entry: Enrolled | None) -> Device:
        if entry is None:
            rights = Rights([f"{network}/*/*" for network in self._networks], [f"{name}/*"])
            return Device(name, rights, None, self._random(STREAM_BYTES).hex(), self._metadata_key)
        rights = Rights(entry.publish, entry.receive)
        stream = self._random(STREAM_BYTES).hex()
        device = Device(name, rights, (entry.key, entry.keygen), stream, self._metadata_key)
        device.give(device.secret, entry.next_secret)
        return device

    def _forget_sent(self, device: Device) -> None:
        outbox = device.outbox
        lost = [name for number, name, _ in outbox.entries if number <= outbox.sent]
        outbox.remove(0, len(lost))
        for topic in lost:
            why = "outcome unknown, not sent again: the device restarted before it confirmed it"
            logger.warning("device %s: %s: %s", device.name, topic, why)

    def _end(self, device: Device, reason: str) -> None:
        session, carrier = device.session, device.carrier
        device.detach()
        if session is not None and carrier is not None:
            logger.info("device %s: offline: %s", device.name, reason)
            session.close(reason)
            carrier.end()
