"""The delays between attempts to connect: a generator, so that a test reads them without waiting."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_MS = 500
FACTOR = 2
# Long enough that a fleet does not hammer a gateway that is down, short enough for a person who is waiting beside it.
MAX_MS = 30000


def delays(
    random_below: "Callable[[int], int]", first_ms: int = FIRST_MS, max_ms: int = MAX_MS
) -> "Iterator[int]":
    """Yield delays in milliseconds, for ever: doubling up to `max_ms`, each with up to half taken off at random.

    `random_below(n)` gives an integer from 0 to n - 1; it keeps devices that lost one gateway from returning as one.
    """
    delay = first_ms
    while True:
        yield delay - random_below(delay // 2 + 1)
        delay = min(delay * FACTOR, max_ms)
