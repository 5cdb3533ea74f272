"""What devices on serial lines have printed: the last lines of each.

Rules of this file: no I/O; every time is given, in seconds since 1970. Lines come without control characters, and not
endless, as the log has them.
"""

from collections import OrderedDict, deque

# What a person scrolls through; of the devices that printed last. All of them take 5 MB at most.
LINES = 100
MAX_DEVICES = 128


class Consoles:
    """The last lines of all devices."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[tuple[float, str]]] = OrderedDict()

    def note(self, device: str, text: str, now: float) -> None:
        """A device has printed a line."""
        lines = self._of.get(device)
        if lines is None:
            lines = self._of[device] = deque(maxlen=LINES)
            if len(self._of) > MAX_DEVICES:
                self._of.popitem(last=False)
        self._of.move_to_end(device)
        lines.append((now, text))

    def of(self, device: str) -> list[tuple[float, str]]:
        """When each of its lines came, and its text; oldest first."""
        return list(self._of.get(device, ()))
