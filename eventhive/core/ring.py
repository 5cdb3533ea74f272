"""The bounded outbox of one end.

An event gets its number when it is put in and stays until it is acknowledged, whatever becomes of connections. The
bound is in bytes, because memory is what a board runs out of; a full outbox refuses the newest event and counts it.
"""

from .errors import LocalError

# What an entry costs beside its payload: a tuple of three, a number and the bytes object's own head.
ENTRY_BYTES = 64

# `[2,"name",…]` around a payload, and the brackets of an array of messages.
FRAME_BYTES = 12


class Outbox:
    """Events that wait for their acknowledgement.

    `stream` is the identity of the numbering (16 hex digits; None until the gateway gave one), `next` the number of
    the event that is put in next, `acked` the highest number acknowledged, `sent` the highest sent, `dropped` how many
    found no room or no link that would take them, `largest` the bytes of name and payload that one event may have
    together. `entries` are (number, name, payload) in order; those before `cursor` were sent in this session. `room`
    are the bytes that are left; an event takes `ENTRY_BYTES` beside its name and payload.
    """

    def __init__(self, limit_bytes: int, largest: int, stream: "str | None" = None):
        self.stream = stream
        self.next = 1
        self.acked = self.sent = self.dropped = self.cursor = 0
        self.largest = largest
        self.entries: "list[tuple[int, str, bytes]]" = []
        self.room = limit_bytes

    def put(self, name: str, payload: bytes) -> int:
        """Queue an event: its number, or 0 when the outbox is full. `LocalError` when the link would never take it."""
        size = len(payload) + len(name)
        if size + FRAME_BYTES > self.largest:
            raise LocalError("%s: %d bytes, the link takes %d" % (name, size, self.largest - FRAME_BYTES))
        if size + ENTRY_BYTES > self.room:
            self.dropped += 1
            return 0
        number = self.next
        try:
            self.entries.append((number, name, payload))
        except MemoryError:
            # The list grows in one piece, which a small heap may not have, with bytes enough.
            self.dropped += 1
            return 0
        self.next = number + 1
        self.room -= size + ENTRY_BYTES
        return number

    def acknowledge(self, number: int) -> None:
        """Forget the events up to `number`."""
        count = 0
        for entry in self.entries:
            if entry[0] > number:
                break
            count += 1
        if count:
            self.acked = number
            self.remove(0, count)
            self.cursor = max(0, self.cursor - count)

    def remove(self, start: int, end: int) -> None:
        """Forget the entries from index `start` up to `end`."""
        for entry in self.entries[start:end]:
            self.room += len(entry[1]) + len(entry[2]) + ENTRY_BYTES
        self.entries = self.entries[:start] + self.entries[end:]
