"""Who takes part in a network in this process: no I/O, in the loop.

Rules of this file:
1. Nobody gets an event of which it is the origin.
2. An event with an identity (`once.py`) is taken, and confirmed when all who took it are done with it; who does not
   take it looks on.
"""

from typing import Any, Protocol

from .once import Arrival, Identity, Receiver
from .replies import Question


class Observer(Protocol):
    """Somebody who sees events of a network."""

    def deliver(self, topic: str, data: Any) -> None:
        """Take an event; must not block and must not raise. The data belongs to all who get it."""


class Participant(Observer, Protocol):
    """Somebody who takes part in a network."""

    def ask(self, topic: str, question: Question) -> None:
        """Take a request, as an event is taken; it is answered now or later, by any thread."""

    def takes(self, topic: str) -> bool:
        """True where events of this name with an identity are to be taken; false where `deliver` is for looking on."""

    def take(self, topic: str, arrival: Arrival) -> bool:
        """Take an event with an identity. True: its `ended` is called when it has been dealt with."""


# Who takes an event with an identity, and who looks on.
Members = tuple[list[Participant], list[Observer]]


class Participants:
    """Those of one network, by the full names of events; `observers` see all of them."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []
        self._by_topic: dict[str, dict[Participant, None]] = {}

    def __contains__(self, topic: str) -> bool:
        return topic in self._by_topic

    @property
    def topics(self) -> tuple[str, ...]:
        """Names that somebody takes part in."""
        return tuple(self._by_topic)

    def add(self, topic: str, participant: Participant) -> bool:
        """One more for a name; true where it is the first."""
        first = topic not in self._by_topic
        self._by_topic.setdefault(topic, {})[participant] = None
        return first

    def remove(self, topic: str, participant: Participant) -> bool:
        """The reverse; true where it was the last."""
        participants = self._by_topic.get(topic, {})
        participants.pop(participant, None)
        if topic not in self._by_topic or participants:
            return False
        del self._by_topic[topic]
        return True

    def of(self, topic: str, origin: object = None) -> list[Participant]:
        """Those for a name, but for `origin`."""
        return [one for one in self._by_topic.get(topic, ()) if one is not origin]

    def members(self, topic: str) -> Members:
        """Who takes an event of this name with an identity, and who looks on."""
        takers: list[Participant] = []
        onlookers: list[Observer] = []
        for one in self._by_topic.get(topic, ()):
            (takers if one.takes(topic) else onlookers).append(one)
        return takers, onlookers

    def take(
        self,
        topic: str,
        data: Any,
        identity: Identity,
        receiver: Receiver,
        congested: bool,
        members: Members,
        origin: object = None,
    ) -> None:
        """Give an event with an identity to `members` of its name, if `receiver` has it for them."""
        takers, onlookers = members
        if origin in takers:
            takers = [one for one in takers if one is not origin]
        arrival = receiver.take(topic, data, identity, congested) if takers else None
        if arrival is not None:
            told = False
            for one in takers:
                told |= one.take(topic, arrival)
            if not told:
                # Devices, say, for which it waits in memory now.
                arrival.ended()
        for onlooker in onlookers:
            if onlooker is not origin:
                onlooker.deliver(topic, data)
        if identity[3]:
            # What only asks whether somebody hooks a name is no event to look at.
            for observer in self.observers:
                observer.deliver(topic, data)
