"""What a device may do."""

from ..core.globs import glob_match
from ..core.names import local_name


class Rights:
    """What one device may publish (globs of full names) and receive (globs of `channel/event`); no glob, no right.

    `rate`: events a second, of which `burst` may come at once; `size`: characters of JSON of one. 0: no such limit.
    `ttl_s`: how long a command for it lives, in seconds; 0: for ever.
    """

    def __init__(
        self,
        publish: list[str],
        receive: list[str],
        rate: float = 0,
        burst: int = 0,
        size: int = 0,
        ttl_s: int = 0,
    ):
        self.ttl_s = ttl_s
        self.publish = tuple(publish)
        self.receive = tuple(receive)
        self.rate = rate
        self.burst = burst or max(rate, 1)
        self.size = size

    def may_publish(self, name: str) -> bool:
        """True when the device may send an event of this full name."""
        return any(glob_match(name, pattern) for pattern in self.publish)

    def may_receive(self, name: str) -> bool:
        """True when the device may hook this full name."""
        return any(glob_match(local_name(name), pattern) for pattern in self.receive)
