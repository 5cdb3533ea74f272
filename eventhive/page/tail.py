"""The last events of all devices, and those who look on.

Rules of this file: no I/O. Nobody who looks on is waited for: each has a bounded queue, and what finds no room in it is
counted and left out.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core.globs import glob_match
from .shown import shown, shown_text

# What who opens the page sees of the time before.
KEPT = 200
# For each who looks on: what a browser is sent in one piece.
QUEUED = 200
MAX_READERS = 16

# Which way an event went.
UP, DOWN = "up", "down"


class Seen(NamedTuple):
    """One event: its `number` here, its time in seconds since 1970, and which way it went."""

    number: int
    time: float
    way: str
    device: str
    name: str
    data: Any

    def shown(self) -> dict[str, Any]:
        """What is sent of it."""
        return {
            "time": round(self.time, 3),
            "way": self.way,
            "device": self.device,
            "name": shown_text(self.name),
            "text": shown(self.data),
        }


@dataclass(frozen=True)
class Filter:
    """Which events somebody wants: of one device, of names that match a glob; empty for all."""

    device: str = ""
    name: str = ""

    def takes(self, event: Seen) -> bool:
        """True for one of these."""
        if self.device and event.device != self.device:
            return False
        return not self.name or glob_match(event.name, self.name)


class Reader:
    """Somebody who looks on; `woken` is called when there is something in an empty queue."""

    def __init__(self, wanted: Filter, woken: Callable[[], object]):
        self.skipped = 0
        self._wanted = wanted
        self._woken = woken
        self._queue: deque[Seen] = deque()

    def give(self, event: Seen) -> None:
        """One more event."""
        if not self._wanted.takes(event):
            return
        if len(self._queue) >= QUEUED:
            self.skipped += 1
            return
        self._queue.append(event)
        if len(self._queue) == 1:
            self._woken()

    def take(self) -> tuple[list[Seen], int]:
        """What has come, and how many more were left out."""
        events, skipped = list(self._queue), self.skipped
        self._queue.clear()
        self.skipped = 0
        return events, skipped


class Tail:
    """All events, as far as they are kept; `dropped` counts those who were too slow."""

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self.dropped = 0
        # Plain tuples, as each event makes one: of most of them nobody asks for more.
        self._events: deque[tuple[int, float, str, str, str, Any]] = deque(maxlen=KEPT)
        self._number = 0

    def note(self, way: str, device: str, name: str, data: Any, now: float) -> None:
        """An event went this way."""
        self._number += 1
        event = (self._number, now, way, device, name, data)
        self._events.append(event)
        if self.readers:
            seen = Seen._make(event)
            for reader in self.readers:
                reader.give(seen)

    def open(self, wanted: Filter, after: int, woken: Callable[[], object]) -> Reader | None:
        """Begin to look on, with what is kept after this number; None where too many do."""
        if len(self.readers) >= MAX_READERS:
            return None
        reader = Reader(wanted, woken)
        # Numbers begin anew with the gateway: one that is too high is of an earlier one.
        after = after if after <= self._number else 0
        for event in map(Seen._make, self._events):
            if event.number > after:
                reader.give(event)
        self.readers.add(reader)
        return reader

    def close(self, reader: Reader, dropped: bool) -> None:
        """The end of looking on."""
        self.readers.discard(reader)
        self.dropped += dropped
