"""The events of one device for one network, in order: what is to be published, what is on its way, what is on disk.

Rules of this file:
1. No I/O and no clock: time is `outlet.now()`, in seconds. What is to be published goes to `outlet.publish`.
2. In memory is the front of the lane, at most WINDOW events to be published and as many on their way. What is `unread`
   lies on disk behind them, and is fetched when there is room; what arrives meanwhile is left on disk, behind it.
3. On a network with `once`, only events of one name and one stream are on their way together: there, who gets them sees
   by their numbers what is missing. Another name waits until those are confirmed, so that hooks see the order of the
   device. A name that nobody hooks is put aside, so that it holds up no others.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ..core.errors import LimitError
from ..core.json_host import loads

# Names of which none is put aside. One for all: each new empty set takes 216 bytes.
NONE_ASIDE: frozenset[str] = frozenset()

# Events of one device in memory, and on their way to a network. At a millisecond for a confirmation, 256 of them are
# more than any board sends.
WINDOW = 256

# How long nothing may be confirmed until the first event is sent again, at first and at most. What is lost is mostly
# noticed at once, by what follows; this is for the last one, and for a carrier that lost everything.
FIRST_RETRY_S = 1.0
MAX_RETRY_S = 5.0

# Who missed something says so for each event that comes too early: one answer to that within so long is enough.
AGAIN_S = 0.05


class Stream:
    """One stream of a device on one network; `id` is its row, 0 where it has none.

    What is above `cursor` is not in memory, and on disk where it is `unread`. `events` are on disk, or on their way
    there. `top` is the highest number that a gateway before this one had on disk.
    """

    __slots__ = ("cursor", "events", "id", "name", "top", "unread")

    def __init__(self, number: int, name: str, events: int = 0, top: int = 0):
        self.id = number
        self.name = name
        self.events = events
        self.top = top
        self.cursor = 0
        self.unread = events > 0


class Entry:
    """One event, with its `data`. `receipt` is to be called when it is on disk, or confirmed; None after that.

    `id` is its row, 0 where it has none; `text` its data as JSON where it goes to disk, as it was before hooks could
    change it; `queued`: it goes to disk with the next batch; `gone`: it is confirmed.
    """

    __slots__ = (
        "data",
        "gone",
        "id",
        "lane",
        "number",
        "queued",
        "receipt",
        "since",
        "size",
        "stream",
        "text",
        "topic",
    )

    def __init__(self, lane: "Lane", stream: Stream, number: int, topic: str, data: Any, receipt: Any = None):
        self.lane = lane
        self.stream = stream
        self.number = number
        self.topic = topic
        self.data = data
        self.receipt = receipt
        self.id = self.size = 0
        self.text = ""
        self.since = 0.0
        self.queued = self.gone = False

    def __call__(self) -> None:
        """Its carrier has confirmed it."""
        self.lane.confirmed(self)


class Outlet(Protocol):
    """What a lane needs of its network."""

    name: str
    once: bool
    quota: Any

    @property
    def connected(self) -> bool:
        """True while the network's carrier is there."""

    @property
    def unheard(self) -> Any:
        """Names that nobody hooks."""

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""

    def may_publish(self, lane: "Lane") -> bool:
        """True while the carrier takes events of this lane."""

    def publish(self, entry: Entry, before: int, carried: Callable[[], None] | None = None) -> bool:
        """Pass an event on. True: it is confirmed at once. `LimitError` when the carrier takes no more.

        On a network with `once`, `carried` is called when the carrier has it, whoever hooks it; without that, it may be
        passed on a little later, with others, and `take_back` called where the carrier took no more.
        """

    def read(self, lane: "Lane") -> None:
        """Have `lane.found` called with what is on disk."""

    def forget(self, entry: Entry) -> None:
        """It is confirmed, and was on its way: it need not be on disk any more."""

    def put(self, stream: Stream) -> None:
        """An event of a stream is on its way to disk."""

    def written(self, entry: Entry, size: int) -> None:
        """It gets a row of its own, of so many bytes."""

    def erased(self, stream: Stream, size: int) -> None:
        """An event of a stream is no longer on disk; `size` is 0 where it had no row of its own."""


class Lane:
    """The events of `device` for `outlet`; `streams` by their names, in the order in which they began.

    `queue` are those to be published, `flying` those on their way, `aside` the names that were put aside. `behind` is
    true while something is on disk only. `epoch` grows when it begins anew: what was asked for before is not wanted any
    more.
    """

    __slots__ = (
        "_moved",
        "_proved",
        "_reading",
        "_retry_s",
        "_sent_again",
        "_suspect",
        "aside",
        "behind",
        "device",
        "epoch",
        "flying",
        "outlet",
        "queue",
        "streams",
    )

    # Lists, because most lanes are empty, and an empty deque is larger by half a kilobyte.
    def __init__(self, outlet: Outlet, device: str):
        self.device = device
        self.streams: dict[str, Stream] = {}
        self.queue: list[Entry] = []
        self.flying: list[Entry] = []
        self.aside = NONE_ASIDE
        self.behind = self._reading = False
        self.epoch = 0
        self.outlet = outlet
        self._suspect = False
        self._retry_s = FIRST_RETRY_S
        self._moved = self._sent_again = 0.0
        self._proved: Entry | None = None

    @property
    def idle(self) -> bool:
        """True where nothing waits, in memory or on disk."""
        return not self.queue and not self.flying and not self.behind

    def add(self, entry: Entry) -> None:
        """A new event, which is on its way to disk: publish it in its turn."""
        if self.aside and entry.topic in self.aside:
            return
        if self.behind or len(self.queue) >= WINDOW:
            entry.stream.unread = self.behind = True
            return
        entry.stream.cursor = entry.number
        at_once = not self.queue and (not self.flying or self._may_follow(entry)) and self.outlet.may_publish(self)
        if not at_once or not self._publish(entry):
            self.queue.append(entry)

    def restore(self, stream: Stream) -> None:
        """A stream with events on disk, of a gateway before this one."""
        self.streams[stream.name] = stream
        self.behind = True

    def fly(self, entry: Entry) -> None:
        """An event that was published without a way through the queue, and is not confirmed yet."""
        entry.stream.cursor = entry.number
        entry.since = self._moved = self.outlet.now()
        self.flying.append(entry)

    def pump(self) -> None:
        """Publish what may be, and fetch what is on disk."""
        outlet, queue = self.outlet, self.queue
        while queue and self._may_follow(queue[0]) and outlet.may_publish(self):
            entry = queue.pop(0)
            if not self._publish(entry):
                queue.insert(0, entry)
                break
        if self.behind and not self._reading and len(queue) < WINDOW // 2:
            self._reading = True
            outlet.read(self)

    def found(self, stream: Stream, entries: Iterable[Entry], more: bool, epoch: int) -> None:
        """What was read of one stream when `epoch` was this; `more`: there is more of it."""
        self._reading = False
        if epoch == self.epoch:
            for entry in entries:
                stream.cursor = entry.number
                if entry.topic not in self.aside:
                    self.queue.append(entry)
            stream.unread = stream.unread or more
        self.behind = any(stream.unread for stream in self.streams.values())
        self.pump()

    def confirmed(self, entry: Entry) -> None:
        """The carrier has an event, on a network without `once`."""
        entry.gone = True
        flying = self.flying
        while flying and flying[0].gone:
            self.outlet.forget(flying.pop(0))
        if self.queue or self.behind:
            self.pump()

    def taken(self, topic: str, stream: str, number: int, again: bool) -> None:
        """Hooks have ended for all events of a name up to `number`; `again`: what follows is missing there."""
        flying, outlet = self.flying, self.outlet
        if not flying or flying[0].topic != topic or flying[0].stream.name != stream:
            return
        before = len(flying)
        while flying and flying[0].number <= number:
            entry = flying.pop(0)
            entry.gone = True
            outlet.forget(entry)
        now = outlet.now()
        if len(flying) < before:
            self._moved, self._retry_s = now, FIRST_RETRY_S
        if len(flying) < before and self._suspect:
            # Whoever took the first one again has not had what follows, and will not complain of what never comes.
            self._suspect = False
            self.send_again()
        elif again and now - self._sent_again > AGAIN_S:
            self.send_again()
        if self.queue or self.behind:
            self.pump()

    def take_back(self, entry: Entry) -> None:
        """The carrier took no more, when this one's turn came: publish it again before all others that wait."""
        if self.flying and self.flying[-1] is entry:
            self.queue.insert(0, self.flying.pop())

    def send_again(self) -> int:
        """Publish again what is on its way, because it may have been lost; returns how many events that were."""
        self._sent_again = self.outlet.now()
        count = before = 0
        for entry in self.flying:
            if not self._repeat(entry, before):
                break
            before = entry.number
            count += 1
        return count

    def retry(self) -> bool:
        """Publish the first event on its way again, if nothing was confirmed for long."""
        now = self.outlet.now()
        if self.flying and now - max(self._moved, self._sent_again) > self._retry_s:
            self._retry_s = min(2 * self._retry_s, MAX_RETRY_S)
            return self._retry()
        return False

    def hooked(self, topic: str) -> bool:
        """Somebody hooks a name who has missed what is on its way: publish the first again, now."""
        if not self.flying or self.flying[0].topic != topic:
            return False
        self._retry_s = FIRST_RETRY_S
        return self._retry()

    @property
    def silent_s(self) -> float:
        """Seconds for which nothing that is on its way was confirmed; 0 where nothing is."""
        return self.outlet.now() - self._moved if self.flying else 0.0

    @property
    def stalled_s(self) -> float:
        """Seconds for which the first event on its way was not confirmed, though the carrier has it; 0 until it has."""
        if not self.flying or self._proved is not self.flying[0]:
            return 0.0
        return self.outlet.now() - max(self._moved, self._proved.since)

    def put_aside(self, topic: str) -> None:
        """Nobody hooks a name: leave its events on disk, and go on with others."""
        while self.flying and self.flying[0].topic == topic:
            self.flying.pop(0)
            self.aside |= {topic}
        self.pump()

    def bring_back(self, topic: str) -> None:
        """A name is hooked again: begin anew with what is on disk, in the order of the device."""
        if topic in self.aside:
            self.aside -= {topic}
            self.begin_anew()
            self.pump()

    def begin_anew(self) -> None:
        """Go on with what is on disk, and with that alone, in the order of the device."""
        self.epoch += 1
        self.flying.clear()
        self.queue.clear()
        for stream in self.streams.values():
            stream.cursor, stream.unread = 0, True
        self.behind = True

    def drop(self, rows: set[int]) -> None:
        """These rows are no longer on disk, as there was no room for them: forget them."""
        self.queue = [entry for entry in self.queue if entry.id not in rows]
        self.flying = [entry for entry in self.flying if entry.id not in rows]

    # The rest is private.

    def _may_follow(self, entry: Entry) -> bool:
        flying = self.flying
        if not flying:
            return True
        if len(flying) >= WINDOW:
            return False
        last = flying[-1]
        return not self.outlet.once or (last.topic == entry.topic and last.stream is entry.stream)

    def _publish(self, entry: Entry) -> bool:
        """Publish an event, unless nobody hooks it; false where the carrier takes no more."""
        flying, outlet = self.flying, self.outlet
        if entry.topic in outlet.unheard:
            self.aside |= {entry.topic}
            return True
        before = flying[-1].number if flying and outlet.once else 0
        entry.since = outlet.now()
        if not flying:
            self._moved = entry.since
        # Before it is passed on, because it may be confirmed before that returns.
        flying.append(entry)
        try:
            done = outlet.publish(entry, before)
        except LimitError:
            flying.pop()
            return False
        if done:
            self.confirmed(entry)
        return True

    def _retry(self) -> bool:
        self._suspect = True
        self._sent_again = self.outlet.now()
        return self._repeat(self.flying[0], 0, self._carried)

    def _repeat(self, entry: Entry, before: int, carried: Callable[[], None] | None = None) -> bool:
        if entry.text:
            entry.data = loads(entry.text)
        try:
            return self.outlet.may_publish(self) and not self.outlet.publish(entry, before, carried)
        except LimitError:
            return False

    def _carried(self) -> None:
        """The carrier works: it has what was sent again."""
        self._proved = self.flying[0] if self.flying else None
