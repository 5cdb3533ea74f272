"""All that the page keeps of what it was told: counters, last values, last events, last lines of consoles."""

from dataclasses import dataclass, field
from typing import Any

from .consoles import Consoles
from .history import History
from .tail import DOWN, UP, Tail
from .telemetry import Telemetry


@dataclass
class Notes:
    """What is kept; times are in seconds since 1970."""

    telemetry: Telemetry = field(default_factory=Telemetry)
    history: History = field(default_factory=History)
    tail: Tail = field(default_factory=Tail)
    consoles: Consoles = field(default_factory=Consoles)

    def arrived(self, device: str, name: str, data: Any, now: float) -> None:
        """An event of a device has come."""
        self.history.note(device, name, data, now)
        self.tail.note(UP, device, name, data, now)

    def sent(self, device: str, name: str, data: Any, now: float) -> None:
        """An event is on its way to a device."""
        self.tail.note(DOWN, device, name, data, now)
