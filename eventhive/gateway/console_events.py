"""Console text of devices as events: which of it is passed on.

Rules of this file: no I/O; `seconds()` is the time, and may be set. A device that prints without end is bounded, and
who gets its lines is told how many were left out.
"""

from collections.abc import Callable
from typing import Any

from ..bounded_log import PerMinute

EVENT = "console"

# Lines of one device: what a person reads along. A network is no place for the output of a port at full speed.
LINES_A_MINUTE = 120

# Of one line, as the log has it (`bridge.printable`).
MAX_TEXT = 200


class ConsoleEvents:
    """`say(device, event, data)` is called for each line that is passed on, while `told`."""

    def __init__(self, seconds: Callable[[], float], say: Callable[[str, str, dict[str, Any]], object]):
        self.told = False
        self._seconds = seconds
        self._say = say
        # Of each device: whether there is room for a line, and how many were left out.
        self._rooms: dict[str, PerMinute] = {}
        self._left_out: dict[str, int] = {}

    def printed(self, device: str, port: str, text: str) -> None:
        """A device has printed a line."""
        if not self.told:
            return
        room = self._rooms.get(device)
        if room is None:
            room = self._rooms[device] = PerMinute(self._seconds, LINES_A_MINUTE)
        if not room():
            self._left_out[device] = self._left_out.get(device, 0) + 1
            return
        left_out = self._left_out.pop(device, 0)
        self._say(device, EVENT, {"device": device, "port": port, "text": text[:MAX_TEXT], "left_out": left_out})

    def keep(self, devices: dict[str, Any]) -> None:
        """Forget all devices but these."""
        for name in self._rooms.keys() - devices.keys():
            del self._rooms[name]
            self._left_out.pop(name, None)
