"""Events with an identity: how it travels, and how each is handed to hooks once; docs/delivery.md has it in full.

Rules of this file:
1. The identity of an event is (device, stream, number). It travels as one member, `once`, of the event's metadata:
   [inbox, device, stream, number, before]. `before` is the number of the event of this name and stream that was sent
   before this one and is not confirmed yet, 0 where there is none. `number` 0 only asks whether somebody hooks the
   name.
2. Who has hooks of the event answers to the inbox, in a member `taken` of metadata: [[name, device, stream, number,
   again], …]: its hooks have ended for all events up to `number`. `again` is 1 where something is missing: all after
   `number` is wanted again.
3. An event is given to hooks when all before it were: never twice, and never in front of one that is still to come.
4. Everything but `Arrival.ended` belongs to the loop.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

from .replies import is_inbox

ONCE = "once"
TAKEN = "taken"

# Names of streams that are known at a time, some 300 bytes each. Who is forgotten for others is asked again from its
# first unconfirmed event, so that only what is on its way in this moment could come twice.
MAX_MARKS = 65_536

# Confirmations are collected for so long before they are sent; those of hooks that take longer are sent at once.
CONFIRM_S = 0.002

# Confirmations in one event: some 100 bytes each.
MAX_ANSWERS = 400

Answer = tuple[str, str, str, int, int]

# Which event it is, and what came before it: (inbox, device, stream, number, before), see above. A plain tuple, because
# each event has one, and one with names takes seven times as long to make.
Identity = tuple[str, str, str, int, int]


class Arrival:
    """The `data` of an event with an identity on its way through hooks, which call `ended` when they have."""

    __slots__ = ("_end", "data", "identity", "mark", "topic")

    def __init__(self, data: Any, topic: str, identity: Identity, mark: "Mark", end: "Callable[[Arrival], None]"):
        self.data = data
        self.topic = topic
        self.identity = identity
        self.mark = mark
        self._end = end

    def ended(self) -> None:
        """Hooks of all events up to this one have ended; in any thread."""
        self._end(self)


class Onlooker:
    """A participant of a network who sees events with an identity, and confirms none."""

    def takes(self, topic: str) -> bool:
        """True where `take` is wanted, not `deliver`."""
        return False

    def take(self, topic: str, arrival: Arrival) -> bool:
        """True where the arrival is told the end of its hooks."""
        return False


class Mark:
    """How far the events of one name in one stream were given to hooks, and how far these have ended."""

    __slots__ = ("done", "given")

    def __init__(self) -> None:
        self.given = self.done = 0


def identity_of(metadata: Any, network: str) -> Identity | None:
    """The identity in an event's metadata; None where there is none, or what cannot be one."""
    members = metadata.get(ONCE) if isinstance(metadata, dict) else None
    if not isinstance(members, list) or [type(one) for one in members] != [str, str, str, int, int]:
        return None
    inbox, device, stream, number, before = members
    return (inbox, device, stream, number, before) if is_inbox(inbox, network) else None


class Receiver:
    """Decides which events the hooks of this process are given.

    `send(inbox, answers)` passes confirmations on in the middle of `take`, `told(inbox, answers)` those of hooks that
    have ended. `later` and `soon` are a loop's `call_later` and `call_soon_threadsafe`. `given` becomes true with each
    event that hooks are given. Counters: `repeated` events that were there already, `early` ones that came before one
    that is still to come.
    """

    def __init__(
        self,
        send: Callable[[str, list[Answer]], None],
        told: Callable[[str, list[Answer]], None],
        later: Callable[..., object],
        soon: Callable[..., object],
    ):
        self.repeated = self.early = 0
        self.given = False
        self._send = send
        self._told = told
        self._later = later
        self._soon = soon
        self._marks: OrderedDict[tuple[str, str, str], Mark] = OrderedDict()
        # A deque, which two threads may use at a time.
        self._ended: deque[Arrival] = deque()
        self._woken = False

    def take(self, topic: str, data: Any, identity: Identity, behind: bool) -> Arrival | None:
        """What hooks are to be given; None where they are not to be given the event.

        `behind`: they cannot take any more for now.
        """
        _, device, stream, number, before = identity
        key = topic, device, stream
        mark = self._marks.get(key)
        if mark is None:
            mark = self._marks[key] = Mark()
            if len(self._marks) > MAX_MARKS:
                self._marks.popitem(last=False)
        if number <= mark.given:
            # The sender does not know what has ended, or that it is here.
            self.repeated += number > 0
            self._answer(topic, identity, mark.done, 0)
        elif before > mark.given:
            self.early += 1
            self._answer(topic, identity, mark.done, 1)
        elif behind:
            self._answer(topic, identity, mark.done, 0)
        else:
            mark.given = number
            self.given = True
            self._marks.move_to_end(key)
            if not self._woken:
                self._woken = True
                self._later(CONFIRM_S, self._tell_later)
            return Arrival(data, topic, identity, mark, self._end)
        return None

    def _end(self, arrival: Arrival) -> None:
        """In the thread of the hooks: one more has ended; they end in the order in which they were given."""
        arrival.mark.done = arrival.identity[3]
        self._ended.append(arrival)
        if not self._woken:
            self._woken = True
            self._soon(self._tell_later)

    def tell(self) -> None:
        """Confirm what hooks have ended for, and was not confirmed yet."""
        latest: dict[Mark, Arrival] = {}
        ended = self._ended
        while ended:
            one = ended.popleft()
            latest[one.mark] = one
        inboxes: dict[str, list[Answer]] = {}
        for one in latest.values():
            inbox, device, stream, number, _ = one.identity
            answer = one.topic, device, stream, number, 0
            if inbox in inboxes:
                inboxes[inbox].append(answer)
            else:
                inboxes[inbox] = [answer]
        for inbox, answers in inboxes.items():
            for start in range(0, len(answers), MAX_ANSWERS):
                self._told(inbox, answers[start : start + MAX_ANSWERS])

    def _tell_later(self) -> None:
        self._woken = False
        self.tell()

    def _answer(self, topic: str, identity: Identity, done: int, again: int) -> None:
        inbox, device, stream, _, _ = identity
        self._send(inbox, [(topic, device, stream, done, again)])


def answers_of(members: Any) -> Iterable[Answer]:
    """The usable confirmations in a member `taken`."""
    for one in members if isinstance(members, list) else ():
        if isinstance(one, list) and [type(value) for value in one] == [str, str, str, int, int]:
            yield one[0], one[1], one[2], one[3], one[4]
