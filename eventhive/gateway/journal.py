"""The journal of the spool: a row for each small commit, whose events have mostly ended before they need their own.

Rules of this file:
1. No I/O: `Store.note` writes what `text` gives; `Store.write` forgets the journal, in one transaction with what
   `merge` has put into its batch.
2. A row tells all that its commit changes, so that `replayed` makes of all rows, in their order, what belongs into the
   tables. A gateway that starts does not write that: the disk may be full.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from .batch import Batch, EventRow, size_of
from .lane import Entry

# Events without rows of their own: a start after a kill has to put them into the tables, in some 20 ms.
MAX_EVENTS = 4096
# What their rows in the journal may have. Nothing goes into the journal where a quota would be used up by so much.
MAX_BYTES = 1_000_000

quote = json.encoder.encode_basestring_ascii


def _encoder() -> Callable[[Any], str]:
    """`JSONEncoder.encode`, which makes its encoder in C anew for each text: 1.3 us for a small one, and not 0.7."""
    plain = json.JSONEncoder(separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    # Without a look-out for circles, as JSON has none; and what is one in spite of that, is a RecursionError.
    encode = make(None, plain.default, quote, None, plain.key_separator, plain.item_separator, False, False, True)
    return lambda value: "".join(encode(value, 0))


# ASCII alone: what a device sent may hold characters that no UTF-8 has, and here a character is a byte.
dumps = _encoder()


class Journal:
    """Events, marks and ends that are in the journal, and not in the tables yet.

    `rows` counts events that were merged into a batch, to get rows of their own.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._inherited: list[EventRow] = []
        self._entries: dict[int, Entry] = {}
        self._marks: dict[int, int] = {}
        self._gone: list[int] = []
        self._bytes = 0

    def __bool__(self) -> bool:
        return self._bytes > 0

    def __len__(self) -> int:
        """How many rows of the tables it changes."""
        return len(self._inherited) + len(self._entries) + len(self._marks) + len(self._gone)

    @property
    def behind(self) -> bool:
        """True where the tables lack an event, or have one that has ended; marks may stay here."""
        return bool(self._inherited or self._entries or self._gone)

    def inherit(self, batch: Batch, size: int) -> None:
        """Begin with what a gateway before this one has left in it, in so many bytes; see `replayed`."""
        self._inherited, self._marks, self._gone = batch.events, batch.marks, batch.gone
        self._bytes = size

    @property
    def full(self) -> bool:
        """True where the tables are due."""
        return len(self._entries) >= MAX_EVENTS or self._bytes >= MAX_BYTES

    def text(self, batch: Batch) -> str:
        """What the journal has to tell of a batch."""
        events = [f"[{one.id},{one.stream.id},{one.number},{quote(one.topic)},{one.text}]" for one in batch.entries]
        return f"[[{','.join(events)}],{dumps(batch.marks)},{dumps(batch.gone + batch.ended)}]"

    def add(self, batch: Batch, size: int) -> None:
        """A batch is in the journal, in so many bytes."""
        entries = self._entries
        for entry in batch.entries:
            entries[entry.id] = entry
        self._marks.update(batch.marks)
        self._gone += batch.gone
        self._bytes += size

    def ended(self, entry: Entry) -> bool:
        """An event is confirmed; true where it needs no row any more."""
        return self._entries.pop(entry.id, None) is not None

    def merge(self, batch: Batch) -> None:
        """Have a batch put into the tables what is in the journal alone, and its own events."""
        batch.events += self._inherited
        for entry in (*self._entries.values(), *batch.entries):
            row = entry.id, entry.stream.id, entry.number, entry.topic, entry.text
            batch.events.append(row)
            entry.lane.outlet.written(entry, size_of(row))
        self.rows += len(batch.events)
        batch.marks = _highest(self._marks, batch.marks)
        batch.gone += self._gone
        self._inherited, self._entries, self._marks, self._gone, self._bytes = [], {}, {}, [], 0


def _highest(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    """The marks of both."""
    return {mark: max(one.get(mark, 0), other.get(mark, 0)) for mark in one | other}


def replayed(texts: Iterable[str]) -> Batch:
    """What rows of the journal, in their order, would have put into the tables."""
    batch = Batch()
    events: dict[int, list[Any]] = {}
    for text in texts:
        noted, marks, gone = json.loads(text)
        events.update((event[0], event) for event in noted)
        batch.marks = _highest(batch.marks, {int(mark): number for mark, number in marks.items()})
        batch.gone += [number for number in gone if events.pop(number, None) is None]
    for number, stream, of_stream, topic, data in events.values():
        batch.events.append((number, stream, of_stream, topic, dumps(data)))
    return batch
