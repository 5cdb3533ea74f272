"""The bounded outbox of one end, and the marks of what it took from the other.

An event gets its number when it is put in and stays until it is acknowledged, whatever becomes of connections. The
bound is in bytes, because memory is what a board runs out of; a full outbox refuses the newest event and counts it.
"""

from .errors import LocalError

# What an entry costs beside its payload: a tuple of three, a number and the bytes object's own head.
ENTRY_BYTES = 64

# `[2,"name",…]` around a payload, and the brackets and comma of an array of messages.
FRAME_BYTES = 12

# A device may come back to a stream after it began another; each stays known until this many newer ones were begun.
MARKS_KEPT = 4


class Outbox:
    """Events that wait for their acknowledgement.

    `stream` is the identity of the numbering (16 hex digits; None until the gateway gave one), `next` the number of
    the event that is put in next, `acked` the highest number acknowledged, `dropped` how many found no room,
    `largest` the bytes of name and payload that one event may have together.
    """

    def __init__(self, limit_bytes: int, largest: int, stream: "str | None" = None):
        self.stream = stream
        self.next = 1
        self.acked = 0
        self.sent = 0
        self.dropped = 0
        self.largest = largest
        self._limit = limit_bytes
        self._used = 0
        self._entries: "list[tuple[int, str, bytes]]" = []
        self._cursor = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, name: str, payload: bytes) -> int:
        """Queue an event: its number, or 0 when the outbox is full. `LocalError` when no link would ever take it."""
        size = len(payload) + len(name)
        if size + FRAME_BYTES > self.largest:
            raise LocalError("%s: %d bytes, the link takes %d" % (name, size, self.largest - FRAME_BYTES))
        if self._used + size + ENTRY_BYTES > self._limit:
            self.dropped += 1
            return 0
        number = self.next
        self.next = number + 1
        self._used += size + ENTRY_BYTES
        self._entries.append((number, name, payload))
        return number

    def rewind(self) -> None:
        """A new session: what is not acknowledged will be sent again."""
        self._cursor = 0

    def head(self) -> "tuple[int, str, bytes] | None":
        """The next event to send, (number, name, payload), or None."""
        return self._entries[self._cursor] if self._cursor < len(self._entries) else None

    def advance(self) -> None:
        """The head was sent."""
        number = self._entries[self._cursor][0]
        if number > self.sent:
            self.sent = number
        self._cursor += 1

    def discard(self) -> None:
        """Drop the head, which this link cannot carry; the gap that it leaves is declared when the next one is sent."""
        self._remove(self._cursor, self._cursor + 1)
        self.dropped += 1

    def acknowledge(self, number: int) -> None:
        """Forget the events up to `number`."""
        if number <= self.acked:
            return
        self.acked = number
        count = 0
        for entry in self._entries:
            if entry[0] > number:
                break
            count += 1
        self._remove(0, count)
        self._cursor = max(0, self._cursor - count)

    def forget_sent(self) -> "list[str]":
        """Drop what was sent to a boot that ended, so that it never runs twice; returns the names, outcome unknown."""
        lost = [entry[1] for entry in self._entries if entry[0] <= self.sent]
        self._remove(0, len(lost))
        self._cursor = 0
        return lost

    def _remove(self, start: int, end: int) -> None:
        for entry in self._entries[start:end]:
            self._used -= len(entry[1]) + len(entry[2]) + ENTRY_BYTES
        self._entries = self._entries[:start] + self._entries[end:]


class Mark:
    """How far one stream was received: `taken` was seen in order, `confirmed` may be acknowledged; `gaps` were declared."""

    def __init__(self, stream: str, taken: int):
        self.stream = stream
        self.taken = taken
        self.confirmed = taken
        self.gaps = 0


class Marks:
    """The marks of the streams of one sender; `last` is that of the stream which is being received."""

    def __init__(self):
        self.last: "Mark | None" = None
        self._marks: "list[Mark]" = []

    def find(self, stream: str) -> "Mark | None":
        """The mark of a stream that is still known."""
        for mark in self._marks:
            if mark.stream == stream:
                return mark
        return None

    def resume(self, stream: str, first: int) -> Mark:
        """The mark of a stream whose sender goes on with number `first`; what it skips over, it has dropped."""
        mark = self.find(stream)
        if mark is None:
            mark = Mark(stream, first - 1)
        else:
            self._marks.remove(mark)
            if first > mark.taken + 1:
                mark.gaps += first - mark.taken - 1
                mark.taken = first - 1
        self._marks = self._marks[1 - MARKS_KEPT :] + [mark]
        self.last = mark
        return mark
