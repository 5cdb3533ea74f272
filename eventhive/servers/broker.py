"""Topics and who subscribed them, in one process and one loop: no I/O.

Nobody waits for a subscriber. One that cannot keep up may *hold* the broker for a moment, which publishers are asked to
respect; what happens when the moment has passed is its own business.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from ..classic import ALL_TOPICS, Payload


class Subscriber(Protocol):
    """One subscription."""

    @property
    def owner(self) -> object:
        """Whose it is: events of the same owner do not reach it."""

    def notify(self, topic: str, payload: Payload) -> None:
        """Take an event; must not block and must not raise."""


class Broker:
    """The topics of one network."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[Subscriber, None]] = {}
        self._holders: set[object] = set()
        self._waiting: dict[Callable[[], None], None] = {}

    @property
    def held(self) -> bool:
        """True while a subscriber asks publishers to pause."""
        return bool(self._holders)

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Hand each event of this exact topic, or of all topics, to a subscriber."""
        self._topics.setdefault(topic, {})[subscriber] = None

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        """The reverse; without effect when it was not subscribed."""
        subscribers = self._topics.get(topic)
        if subscribers is not None:
            subscribers.pop(subscriber, None)
            if not subscribers:
                del self._topics[topic]

    def publish(self, topic: str, payload: Payload, owner: object) -> int:
        """Hand an event to all subscribers that do not belong to `owner`; returns how many asked for this topic.

        Who asked for all topics looks on: it does not answer what is asked, so that it counts for nobody.
        """
        topics = self._topics
        count = _notify(topics[topic], topic, payload, owner) if topic in topics else 0
        if ALL_TOPICS in topics:
            _notify(topics[ALL_TOPICS], topic, payload, owner)
        return count

    def reaches(self, topic: str, owner: object) -> bool:
        """True where an event of this topic would be handed to a subscriber that does not belong to `owner`."""
        topics = self._topics
        return any(one.owner is not owner for name in (topic, ALL_TOPICS) for one in topics.get(name, ()))

    def hold(self, holder: object) -> None:
        """Ask publishers to pause until `release`."""
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """No longer ask publishers to pause; without effect for one that does not hold."""
        self._holders.discard(holder)
        if not self._holders:
            waiting, self._waiting = self._waiting, {}
            for callback in waiting:
                callback()

    def when_released(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, when nobody holds the broker any more."""
        self._waiting[callback] = None


def _notify(subscribers: Iterable[Subscriber], topic: str, payload: Payload, owner: object) -> int:
    count = 0
    # A copy: one that is told may subscribe or leave.
    for subscriber in tuple(subscribers):
        if subscriber.owner is not owner:
            subscriber.notify(topic, payload)
            count += 1
    return count
