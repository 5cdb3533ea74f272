"""What the gateway knows of one device, whether or not it is connected: rights, keys, outbox, marks, requests.

Rules of this file: no I/O and no clock. A device outlives its sessions.
"""

import logging
from collections.abc import Callable
from typing import Any, Protocol, cast

from ..bounded_log import is_told
from ..core.envelope import encode
from ..core.errors import LocalError
from ..core.gateway_session import GatewaySession
from ..core.keys import link_mac
from ..core.mac import Mac
from ..core.mark import Mark
from ..core.marks import Marks
from ..core.outcomes import NOBODY, VALUE
from ..core.requests import MAX_REQUESTS, ask, reply
from .commands import Commands
from .reports import usable
from .rights import Rights
from .round_trip import RoundTrip

# Commands that wait for one device, in bytes with their overhead: some hundred small ones.
OUTBOX_BYTES = 64 * 1024

# Before a device said how long its messages may be, one for it may be as long as the longest that any device takes.
DEFAULT_LARGEST = 1024

# Boot and connection share the number of an attempt; the lower bits count the connections of one boot.
CONNECTION_BITS = 12

logger = logging.getLogger("eventhive.gateway")

# One for all: each new empty set takes 216 bytes.
NO_NAMES: frozenset[str] = frozenset()

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

    def flush_now(self) -> None:
        """Send what there is to send, at once; and close, where the session is over."""


class Question(Protocol):
    """A request of the network, which is answered once."""

    data: Any

    def answer(self, value: Any) -> None:
        """With what a hook returned."""

    def fail(self, why: str) -> None:
        """With why there is no answer."""

    def nobody(self) -> None:
        """With: no function hooks it here."""


class Arrival(Protocol):
    """An event with an identity, which is confirmed when it is taken."""

    data: Any


class Device:
    """One device: rights, outbox of what is for it, marks of what came from it, and its session if it has one.

    Counters: `events` taken, `rejected` unusable ones, `refused` those it had no right to or whose network does not
    exist, `unhooked` names that it may not hook, `undelivered` commands too long or not JSON. `asking` are its requests
    that have no answer yet. `reported` is what it last said of itself. `asleep_until` is when it said that it will be
    awake again. Times are in milliseconds of `clock_ms()`, a clock that nobody sets.
    """

    # There are thousands, and more attributes than CPython keeps in an object without a table of its own.
    __slots__ = (
        "_asked",
        "_metadata_key",
        "_proofs",
        "_questions",
        "_unconfirmed",
        "address",
        "allowance",
        "asking",
        "asleep_until",
        "attempt",
        "carrier",
        "clock_ms",
        "events",
        "greeting",
        "hooks",
        "last",
        "marks",
        "name",
        "next_secret",
        "outbox",
        "overtaken",
        "refused",
        "rejected",
        "reported",
        "rights",
        "round_trip",
        "routes",
        "secret",
        "session",
        "stream",
        "undelivered",
        "unhooked",
        "unmet",
        "watch",
    )

    def __init__(
        self,
        name: str,
        rights: Rights,
        secret: Secret | None,
        stream: str,
        metadata_key: str,
        clock_ms: Callable[[], int],
    ):
        self.name = name
        self.clock_ms = clock_ms
        self.asleep_until = 0
        self.reported: dict[str, Any] = {}
        self.rights = rights
        self.give(secret, None)
        self.outbox = Commands(OUTBOX_BYTES, DEFAULT_LARGEST, stream)
        self.marks = Marks()
        self.round_trip = RoundTrip()
        self.session: GatewaySession | None = None
        self.carrier: Carrier | None = None
        self.hooks: set[str] = set()
        # Names that it wants to hook, and may not, or whose network there is not.
        self.unmet = NO_NAMES
        self.routes: dict[str, Any] = {}
        # Where its last session came from.
        self.address = ""
        # Where somebody looks on: told its name, and the name and data of what is for it.
        self.watch: Callable[[str, str, object], None] | None = None
        # Tells that its session is there.
        self.greeting: Callable[[], object] | None = None
        self.attempt = -1
        self.stream = ""
        self.events = self.rejected = self.refused = self.unhooked = self.undelivered = 0
        self.last: tuple[str, object] = "", None
        self.asking = 0
        self._metadata_key = metadata_key
        self._questions: dict[int, Question] = {}
        self._asked = 0
        # A list, because most are empty, and an empty deque is larger by half a kilobyte.
        self._unconfirmed: list[Receipt] = []
        # One of these waits for a network, and not for the disk, or did: what came after it may be there before.
        self.overtaken = False
        # Events that it may still send at once; below 0, acknowledgements are withheld, which makes it wait.
        self.allowance = float(rights.burst)

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
        if self.watch is not None:
            self.watch(self.name, topic, self._bare(data))
        try:
            queued = self._queue(topic, self._encoded(data))
        except LocalError as error:
            self.undelivered += 1
            self.warn(self.undelivered, "%s not sent: %s", topic, error)
            return
        if not queued:
            waiting = len(self.outbox.entries)
            self.warn(self.outbox.dropped, "%s dropped: %d commands wait for it already", topic, waiting)
        elif self.carrier is not None:
            self.carrier.wake()

    def _queue(self, topic: str, payload: bytes) -> int:
        if not self.rights.ttl_s:
            return self.outbox.put(topic, payload)
        now_ms = self.clock_ms()
        # One that sleeps has the whole time once it is awake.
        ends_ms = max(now_ms, self.asleep_until) + self.rights.ttl_s * 1000
        return self.outbox.add(topic, payload, ends_ms, now_ms)

    def expire(self) -> None:
        """Drop commands that have lived too long."""
        for name in self.outbox.expire(self.clock_ms()):
            what = "%s expired: it was not there to take it within %d s"
            self.warn(self.outbox.expired, what, name, self.rights.ttl_s)

    def slept(self, wake_s: int) -> None:
        """It said goodbye, and when it will be awake again; 0: it did not."""
        self.asleep_until = self.clock_ms() + wake_s * 1000 if wake_s else 0

    def report(self, counters: object) -> None:
        """It said how it does: numbers, lists of these, and short texts, by name; anything else is not taken."""
        if isinstance(counters, dict):
            self.reported = usable(counters)

    def takes(self, topic: str) -> bool:
        """True: what was subscribed for it is for it."""
        return True

    def take(self, topic: str, arrival: Arrival) -> bool:
        """Queue an event with an identity: with that, it is taken."""
        self.deliver(topic, arrival.data)
        return False

    def ask(self, topic: str, question: Question) -> None:
        """Pass a request of the network on, if there is a connection; it is kept for no other one."""
        if self.session is None or self.carrier is None:
            question.fail(f"device '{self.name}' is offline: it was not asked")
            return
        if self.watch is not None:
            self.watch(self.name, topic, self._bare(question.data))
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

    def greet(self) -> None:
        """Tell that its session is there, once."""
        greeting, self.greeting = self.greeting, None
        if greeting is not None:
            greeting()

    def measure(self) -> None:
        """Somebody looks at it: have its round trip measured, if that was not done just now."""
        if self.session is not None and self.carrier is not None and self.round_trip.ask(self.clock_ms()):
            self.session.ping(self.clock_ms())
            self.carrier.wake()

    def detach(self) -> None:
        """It has no session any more; what it was asked has no answer."""
        self.session = self.carrier = None
        self.round_trip = RoundTrip()
        questions, self._questions = self._questions, {}
        for question in questions.values():
            question.fail(f"device '{self.name}' went offline: it may have been carried out")

    def warn(self, count: int, what: str, *args: object) -> None:
        """Log the first, 10th, 100th, … time of what a faulty device, or a caller, could cause without end."""
        if is_told(count):
            logger.warning(f"device %s: {what} (%d so far)", self.name, *args, count)

    def count(self, name: str, data: object) -> None:
        """An event was taken."""
        self.events += 1
        self.last = name, data
        if self.rights.rate:
            self.allowance -= 1

    def refill(self, elapsed_ms: int) -> None:
        """Let time pass for its rate."""
        if self.rights.rate:
            withheld = self.allowance < 0
            self.allowance = min(self.allowance + self.rights.rate * elapsed_ms / 1000, self.rights.burst)
            if withheld and self.allowance >= 0:
                self.settle()

    @property
    def unacknowledged(self) -> int:
        """Events that it waits for the acknowledgement of."""
        return len(self._unconfirmed)

    def covered(self, mark: Mark, last: int) -> int:
        """Up to which number of a stream all is confirmed, on disk, or in a transaction under way, as `last` is."""
        if not self.overtaken:
            return last
        number = mark.confirmed
        for receipt in self._unconfirmed:
            if receipt.mark is mark:
                if receipt.waits and not receipt.covered:
                    break
                number = receipt.number
        return number

    def confirm(self, receipt: "Receipt") -> None:
        """An event is where it has to be at once: acknowledge it, unless an earlier one is still on its way."""
        receipt.waits = False
        if self._unconfirmed or self.allowance < 0:
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
            self.carrier.flush_now()

    def settle(self) -> None:
        """Acknowledge, in order, what has been confirmed, with what else there is to send soon."""
        self._acknowledge()
        if self.carrier is not None:
            self.carrier.wake()

    def settle_now(self) -> None:
        """The same at once, not behind what is received meanwhile: who waits for it sends the next event sooner."""
        self._acknowledge()
        if self.carrier is not None:
            self.carrier.flush_now()

    def _acknowledge(self) -> None:
        if self.allowance < 0:
            return
        count = 0
        marks: dict[Mark, None] = {}
        for receipt in self._unconfirmed:
            if receipt.waits:
                break
            count += 1
            receipt.mark.confirmed = receipt.number
            marks[receipt.mark] = None
        if self.session is not None:
            for mark in marks:
                self.session.acknowledge(mark)
        del self._unconfirmed[:count]
        if not self._unconfirmed:
            self.overtaken = False

    def _encoded(self, data: object) -> bytes:
        return encode(self._bare(data))

    def _bare(self, data: object) -> object:
        """Data without metadata, which is not for boards."""
        if isinstance(data, dict) and self._metadata_key in data:
            return {key: value for key, value in data.items() if key != self._metadata_key}
        return data


class Receipt:
    """One event that a network was given; the network calls it when its carrier has confirmed the event.

    `covered`: it is on disk, or in a transaction that was begun.
    """

    __slots__ = ("covered", "device", "mark", "number", "waits")

    def __init__(self, device: Device, mark: Mark, number: int):
        self.device = device
        self.mark = mark
        self.number = number
        self.waits = True
        self.covered = False

    def __call__(self) -> None:
        """Confirm the event."""
        self.waits = False
        self.device.settle()
