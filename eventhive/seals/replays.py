"""What was received before, in bounded memory."""

from collections.abc import Hashable

# Of what was seen last, at least so much is remembered, and at most twice as much: a few megabytes.
MAX_MARKS = 32_768

# How far behind the highest number of a sender one may come and still pass: what connections of one sender that run
# side by side, or a server that handles events at the same time, bring out of order.
WINDOW = 1024
_MASK = (1 << WINDOW) - 1


class Seen:
    """Marks of events that were received: the newest ones, in two generations of at most `size`."""

    def __init__(self, size: int = MAX_MARKS):
        self._size = size
        self._young: set[Hashable] = set()
        self._old: set[Hashable] = set()

    def add(self, mark: Hashable) -> bool:
        """Remember a mark; false when it is known."""
        if mark in self._young or mark in self._old:
            return False
        if len(self._young) >= self._size:
            self._young, self._old = set(), self._young
        self._young.add(mark)
        return True


class Window:
    """The numbers of one sender that were received: all above `WINDOW` behind the highest one."""

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        self._highest = 0
        # Bit n is set when the number `_highest - n` was received.
        self._seen = 0

    def take(self, number: int) -> bool:
        """Note a number; false when it was received before, or is too far behind for that to be known."""
        ahead = number - self._highest
        if ahead > 0:
            kept = (self._seen << ahead) & _MASK if ahead < WINDOW else 0
            self._seen = kept | 1
            self._highest = number
            return True
        bit = 1 << -ahead if -ahead < WINDOW else 0
        if not bit or self._seen & bit:
            return False
        self._seen |= bit
        return True
