"""How a websocket connector writes events, and how it is told that the server has them: one class for each wire.

No I/O. A wire belongs to one connection. Events have numbers, in the order of `publish`.
"""

from collections import deque
from collections.abc import Iterator

from .. import classic, lean
from .base import Event

# Topics whose calls are prepared; a program that publishes on more of them pays for the preparation again.
MAX_HEADS = 1024


# As many digits as no number of an event has: longer ones are not even read, as that takes quadratic time.
MAX_DIGITS = 20


class Classic:
    """The wire of EventHive 0.5.0: a call for each event, and an answer to each call."""

    def __init__(self) -> None:
        self._heads: dict[str, bytes] = {}

    def frame(self, unsent: deque[int], events: dict[int, Event]) -> bytes:
        """The next frame, whose events are taken from the left of `unsent`."""
        number = unsent.popleft()
        topic, payload, _, _ = events[number]
        return classic.publish(self._head(topic), payload, number)

    def confirmed(self, text: str) -> Iterator[tuple[int, bool]]:
        """The events that a text confirms, where it is that: their numbers, and whether they reached nobody."""
        call_id = classic.confirmed(text)
        number = number_of(call_id) if call_id else 0
        if number:
            yield number, False

    def _head(self, topic: str) -> bytes:
        head = self._heads.get(topic)
        if head is None:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            head = self._heads[topic] = classic.publish_head(topic)
        return head


class Lean:
    """The wire between two of ours."""

    def __init__(self) -> None:
        self._under_way: deque[int] = deque()
        self._sent = self._taken = 0
        self._batch = lean.Batch()

    def frame(self, unsent: deque[int], events: dict[int, Event]) -> bytes:
        """As in `Classic`."""
        batch, under_way = self._batch, self._under_way
        while unsent:
            topic, payload, _, _ = events[unsent[0]]
            if not batch.fits(payload):
                break
            batch.add(topic, payload)
            under_way.append(unsent.popleft())
            self._sent += 1
        return batch.take()

    def confirmed(self, text: str) -> Iterator[tuple[int, bool]]:
        """As in `Classic`; raises `PeerError`."""
        if text.startswith(lean.TAKEN):
            count, unheard = lean.read_taken(text, self._taken, self._sent)
            while self._taken < count:
                self._taken += 1
                yield self._under_way.popleft(), self._taken in unheard


def number_of(call_id: str) -> int:
    """The event whose call had this id; 0, which none has, for the id of another call."""
    return int(call_id) if call_id.isdecimal() and len(call_id) < MAX_DIGITS else 0
