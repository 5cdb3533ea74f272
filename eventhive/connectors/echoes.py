"""Which received events are one's own, come back: Redis hands an event to its publisher too, if that has subscribed it.

A pure list of what is expected. It relies on two facts about one Redis server: the events that one connection publishes
come back in their order, and an event has been written to all its subscribers before its publish is answered. So an own
event is recognised only as the next expected one. Another process that publishes the same data at the same time changes
nothing: as many of the equal events are delivered as are not ours.

What is kept is a hash of 64 bits for each event under way, so that its size does not matter.
"""

from collections import deque


class Echoes:
    """The own events that are still to come back; its length is their number."""

    def __init__(self) -> None:
        self._expected: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._expected)

    @property
    def next(self) -> int | None:
        """The number of the event that comes back next, None where none is expected."""
        return self._expected[0][0] if self._expected else None

    def expect(self, number: int, topic: bytes, data: bytes) -> None:
        """Event `number`, higher than those before it, is going to be published and will come back."""
        self._expected.append((number, hash((topic, data))))

    def take(self, topic: bytes, data: bytes) -> bool:
        """True when a received event is the next expected one; then it is expected no more."""
        if not self._expected or self._expected[0][1] != hash((topic, data)):
            return False
        self._expected.popleft()
        return True

    def forget(self, number: int) -> None:
        """What was published up to `number` has come back by now, or never will: two servers, or a proxy, are there."""
        while self._expected and self._expected[0][0] <= number:
            self._expected.popleft()
