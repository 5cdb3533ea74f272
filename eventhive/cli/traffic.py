"""What a command sends and receives, between its own thread and the loop of its hive."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import LocalError
from ..core.globs import glob_match
from ..core.spelling import is_glob
from ..once import Onlooker
from .joining import network_of, networks_of

if TYPE_CHECKING:
    from ..hive import Hive
    from ..replies import Question

# Sent events without a confirmation: enough that the way there and back costs nothing, and few to lose.
WINDOW = 1000
# Received events that wait to be printed before the carrier is asked to keep what follows, and when to go on.
HIGH_WATER = 10_000
LOW_WATER = 1_000

logger = logging.getLogger("eventhive")


class Received(NamedTuple):
    """An event, with the seconds since 1970 when it arrived."""

    time: float
    event: str
    data: Any


class Inbox(Onlooker):
    """Events of these full names and globs. While its reader is behind, the carrier has to keep them."""

    def __init__(self, names: Iterable[str]):
        self._names = list(names)
        self._queue: queue.SimpleQueue[Received] = queue.SimpleQueue()
        self._paused = False
        self._hive: Hive | None = None

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to `get` at once."""
        return self._queue.empty()

    def subscribe(self, hive: "Hive") -> None:
        """Take part in the networks of the names; to be given to `Hive.start`."""
        self._hive = hive
        for network in networks_of(self._names):
            names = [name for name in self._names if network_of(name) == network]
            if any(map(is_glob, names)):
                hive.networks[network].observe(self)
            else:
                for name in names:
                    hive.networks[network].subscribe(name, self)

    def deliver(self, topic: str, data: Any) -> None:
        """Take an event; called in the loop."""
        if any(topic == name or glob_match(topic, name) for name in self._names):
            self._queue.put(Received(time.time(), topic, data))
            if not self._paused and self._queue.qsize() >= HIGH_WATER:
                self._pause(True)

    def ask(self, topic: str, question: "Question") -> None:
        """Take a request as an event: nobody here answers it."""
        self.deliver(topic, question.data)

    def get(self, seconds: float | None) -> Received | None:
        """The next event; None when none came within so many seconds. Called in the command's thread."""
        try:
            received = self._queue.get(timeout=None if seconds is None else max(seconds, 0))
        except queue.Empty:
            return None
        if self._paused and self._queue.qsize() <= LOW_WATER and self._hive is not None:
            self._hive.loop.call_soon_threadsafe(self._pause, False)
        return received

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        logger.info("the output has caught up" if not paused else "the output is behind: the network keeps what comes")
        assert self._hive is not None  # noqa: S101 - only a subscribed one receives
        for connector in self._hive.connectors.values():
            if paused:
                connector.pause()
            else:
                connector.resume()


class Outbox:
    """Sends events and counts what the carrier has `confirmed`; used in the command's thread.

    It gives up, with a `LocalError` that says why, when nothing is confirmed for `patience` seconds.
    """

    def __init__(self, hive: "Hive", patience: float):
        self.confirmed = 0
        self.sent = 0
        self._hive = hive
        self._patience = patience
        self._changed = threading.Condition()
        self._error: LocalError | None = None
        self._last = ""

    def send(self, event: str, data: Any) -> None:
        """Send an event of a full name, after some of those before it where too many are not confirmed.

        Raises `LocalError` also for data that cannot be sent.
        """
        self._hive.networks[network_of(event)].check(event, data)
        self._wait(lambda: self.sent - self.confirmed < WINDOW)
        self._last = event
        self.sent += 1
        self._hive.loop.call_soon_threadsafe(self._publish, event, data)

    def flush(self) -> None:
        """Wait until all is confirmed."""
        self._wait(lambda: self.sent == self.confirmed)

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            while not condition():
                before = self.confirmed
                moved = self._changed.wait_for(partial(self._moved, before), self._patience)
                if self._error is not None:
                    raise self._error
                if not moved:
                    raise LocalError(self._why())

    def _moved(self, before: int) -> bool:
        return self._error is not None or self.confirmed != before

    def _why(self) -> str:
        state = self._hive.connectors[network_of(self._last)].state
        count = f"{self.sent - self.confirmed} of {self.sent} events are" if self.sent > 1 else f"{self._last} is"
        return f"{count} not confirmed after {self._patience:g} s: {state}"

    # In the loop

    def _publish(self, event: str, data: Any) -> None:
        try:
            if self._hive.networks[network_of(event)].publish(event, data, self, self._confirm):
                self._confirm()
        except LocalError as error:
            with self._changed:
                self._error = error
                self._changed.notify()

    def _confirm(self) -> None:
        with self._changed:
            self.confirmed += 1
            self._changed.notify()
