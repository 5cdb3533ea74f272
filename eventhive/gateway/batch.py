"""What one transaction of the spool changes."""

from dataclasses import dataclass, field


@dataclass
class Batch:
    """Rows that come, and rows that go.

    streams (id, network, device, stream); events (id, stream id, number, topic, data); marks {(device, stream):
    number}; stale (device, stream or None for all): marks that are of no use; gone: ids of events; trims: (network,
    how many of its oldest events go).
    """

    streams: list[tuple[int, str, str, str]] = field(default_factory=list)
    events: list[tuple[int, int, int, str, str]] = field(default_factory=list)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    stale: list[tuple[str, str | None]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    trims: list[tuple[str, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.events or self.marks or self.gone or self.stale or self.trims)
