"""A network whose broker lives in this process: events are handed over, without a connection."""

from collections.abc import Callable
from typing import Protocol

from ..classic import ALL_TOPICS, Payload
from .base import Confirm, Connector, Event, Nobody


class Broker(Protocol):
    """What this connector needs of a broker."""

    @property
    def held(self) -> bool:
        """True while a subscriber asks publishers to pause."""

    def subscribe(self, topic: str, subscriber: "MemoryConnector") -> None:
        """Hand the events of a topic to `subscriber.notify`."""

    def unsubscribe(self, topic: str, subscriber: "MemoryConnector") -> None:
        """The reverse."""

    def publish(self, topic: str, payload: Payload, owner: object) -> int:
        """Hand an event to all but its owner; returns how many asked for its topic."""

    def reaches(self, topic: str, owner: object) -> bool:
        """True where an event of this topic and owner would be handed to somebody."""

    def when_released(self, callback: Callable[[], None]) -> None:
        """Call back once, when nobody asks for a pause any more."""


class MemoryConnector(Connector):
    """Joins this process to a broker in it."""

    def __init__(self, network: str, broker: Broker):
        super().__init__(network)
        self._broker = broker
        self._unconfirmed: list[Confirm] = []
        self._waits = False

    @property
    def owner(self) -> object:
        """Its own events do not come back."""
        return self

    @property
    def ready(self) -> bool:
        """False while a subscriber cannot keep up."""
        if self._broker.held:
            self._wait()
        return not self._broker.held

    def alone(self, topic: str) -> bool:
        """True where nobody else takes part in a topic."""
        return not self._broker.reaches(topic, self)

    def start(self) -> None:
        """There is nothing to connect."""
        self._became(True, "in this process")
        self.settled.set()

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """Hand an event over; confirmed later while a subscriber cannot keep up, so that its sender slows down."""
        if not self._broker.publish(topic, payload, self) and nobody is not None:
            nobody()
        if not self._broker.held:
            return True
        if confirm is not None:
            self._unconfirmed.append(confirm)
        self._wait()
        return False

    def notify(self, topic: str, payload: Payload) -> None:
        """An event of the broker."""
        self.deliver(topic, payload)

    def subscribe(self, topic: str) -> None:
        """Take part in a topic."""
        self._broker.subscribe(topic, self)

    def subscribe_all(self) -> None:
        """Take part in all topics."""
        self._broker.subscribe(ALL_TOPICS, self)

    def unsubscribe(self, topic: str) -> None:
        """Leave a topic."""
        self._broker.unsubscribe(topic, self)

    def withdraw(self) -> list[Event]:
        """Everything was handed over."""
        unconfirmed, self._unconfirmed = self._unconfirmed, []
        for confirm in unconfirmed:
            confirm()
        return []

    async def stop(self, seconds: float) -> int:
        """Nothing waits here."""
        self._became(False, "stopped")
        return 0

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._broker.when_released(self._released)

    def _released(self) -> None:
        self._waits = False
        unconfirmed, self._unconfirmed = self._unconfirmed, []
        for confirm in unconfirmed:
            confirm()
        self.relieved()
