"""Received events that are dropped: counted all, told at a bounded rate, however many there are."""

import logging
from collections.abc import Callable

from .bounded_log import PerMinute

# Beyond it, a topic is no name of ours.
MAX_SHOWN = 100

logger = logging.getLogger("eventhive")


class Drops:
    """The drops of one network; `clock()` gives seconds. `counts` by reason: few texts, none of them a peer's."""

    def __init__(self, network: str, clock: Callable[[], float]):
        self.counts: dict[str, int] = {}
        self._network = network
        self._clock = clock
        self._told: dict[str, PerMinute] = {}

    def __call__(self, topic: str, reason: str) -> None:
        """Count one more."""
        count = self.counts[reason] = self.counts.get(reason, 0) + 1
        told = self._told.get(reason)
        if told is None:
            told = self._told[reason] = PerMinute(self._clock)
        if told():
            so_far = f" ({count} events so far)" if count > 1 else ""
            logger.warning("%s: an event %s is dropped: %s%s", self._network, printable(topic), reason, so_far)


def printable(text: str) -> str:
    """Text of a peer as it may appear in a log."""
    return "".join([character if character.isprintable() else "?" for character in text[:MAX_SHOWN]])
