"""How long a device takes to answer a ping. No I/O and no clock: times are given, in milliseconds.

A ping is sent when somebody looks, and seldom: the radio of a board wakes up for it.
"""

EVERY_MS = 30_000


class RoundTrip:
    """`ms` is the last one of this connection; None until there is one."""

    __slots__ = ("_asked_ms", "ms")

    def __init__(self) -> None:
        self.ms: int | None = None
        self._asked_ms: int | None = None

    def ask(self, now_ms: int) -> bool:
        """True where it is time for a ping, which is sent now."""
        if self._asked_ms is not None and now_ms - self._asked_ms < EVERY_MS:
            return False
        self._asked_ms = now_ms
        return True

    def answered(self, asked_ms: int, now_ms: int) -> None:
        """A ping of this time has come back."""
        if asked_ms == self._asked_ms:
            self.ms = now_ms - asked_ms
