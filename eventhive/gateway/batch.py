"""What one transaction of the spool changes."""

from dataclasses import dataclass, field

from .lane import Entry

# What an event takes in the file beside its name and its data: its keys, and its place in the index.
ROW_BYTES = 48

EventRow = tuple[int, int, int, str, str]


def size_of(row: EventRow) -> int:
    """What the row of an event takes of a quota, in bytes; `Store.held` says the same of all of them."""
    return len(row[3]) + len(row[4]) + ROW_BYTES


@dataclass
class Batch:
    """Rows that come, and rows that go.

    streams (id, network, device, stream); entries: new events; events (id, stream id, number, topic, data): those that
    get rows of their own; begun (id, device, stream): new marks; marks {id: number}; stale (device, stream or None for
    all): marks that are of no use, which go before new ones come; gone: ids of events with rows that have ended, ended:
    of those without; trims: (network, how many of its oldest events go).
    """

    streams: list[tuple[int, str, str, str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    begun: list[tuple[int, str, str]] = field(default_factory=list)
    marks: dict[int, int] = field(default_factory=dict)
    stale: list[tuple[str, str | None]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    trims: list[tuple[str, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.entries or self.marks or self.gone or self.ended or self.stale or self.trims)

    @property
    def rows(self) -> int:
        """How many rows it changes, but for what it trims."""
        return len(self.entries) + len(self.marks) + len(self.gone)

    @property
    def simple(self) -> bool:
        """True where it has events, marks and ends alone, as most have: the journal takes nothing else."""
        return not (self.streams or self.begun or self.stale or self.trims)
