"""The bytes between device and gateway, written down as they pass."""

import threading
import time
from pathlib import Path

# Lines of a long test are no help, and cost its speed.
MAX_LINES = 2000


class Frames:
    """A file with a line for each piece of bytes: seconds since the start of the test, direction, bytes as text."""

    def __init__(self, path: Path):
        self._began = time.monotonic()
        self._left = MAX_LINES
        self._lock = threading.Lock()
        self._file = path.open("w", encoding="utf-8")

    def note(self, direction: str, data: bytes) -> None:
        """One piece, from any thread; `direction` is `<` from the device, `>` to it, or what was done to it."""
        with self._lock:
            if self._left and not self._file.closed:
                self._left -= 1
                end = "" if self._left else "the rest is not written down\n"
                self._file.write(f"{time.monotonic() - self._began:8.3f} {direction} {data!r}\n{end}")

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._file.close()
