"""Commands that wait for one device, each for as long as it lives.

Rules of this file: no I/O and no clock; every time is given, in milliseconds of a clock that nobody sets. What is left
to a command travels with it, so that the device need not know the time. One that was sent is never dropped here: it
may have been carried out.
"""

from ..core.ring import Outbox


class Commands(Outbox):
    """An outbox whose entries expire; `expired` counts those that were never sent."""

    def __init__(self, limit_bytes: int, largest: int, stream: str):
        super().__init__(limit_bytes, largest, stream)
        self.expired = 0
        # Of the entries, in their order: number, data without its time to live, when that ends.
        self._alive: list[tuple[int, bytes, int]] = []

    def add(self, name: str, payload: bytes, ends_ms: int, now_ms: int) -> int:
        """As `put`, for a command that lives until then."""
        number = self.put(name, _stamped(payload, ends_ms - now_ms))
        if number:
            self._alive.append((number, payload, ends_ms))
        return number

    def remove(self, start: int, end: int) -> None:
        """As of any outbox."""
        super().remove(start, end)
        first = self.entries[0][0] if self.entries else self.next
        while self._alive and self._alive[0][0] < first:
            self._alive.pop(0)

    def expire(self, now_ms: int) -> list[str]:
        """Drop what was never sent and has lived too long; the names of those."""
        ended = {number for number, _, ends_ms in self._alive if ends_ms <= now_ms and number > self.sent}
        if not ended:
            return []
        names = []
        for at in reversed(range(len(self.entries))):
            if self.entries[at][0] in ended:
                names.append(self.entries[at][1])
                self.remove(at, at + 1)
                self.cursor -= at < self.cursor
        self._alive = [one for one in self._alive if one[0] not in ended]
        self.expired += len(names)
        return names[::-1]

    def stamp(self, now_ms: int) -> None:
        """Before a session begins: write into each command what is left of its life."""
        left = {number: (payload, ends_ms - now_ms) for number, payload, ends_ms in self._alive}
        for at, (number, name, old) in enumerate(self.entries):
            if number in left:
                new = _stamped(*left[number])
                self.room += len(old) - len(new)
                self.entries[at] = number, name, new


def _stamped(payload: bytes, left_ms: int) -> bytes:
    """Data and the item behind it in the message of an event."""
    return b"%b,%d" % (payload, max(left_ms, 0))
