"""How much of a network may be on disk, and which events wait for room: no I/O."""

import logging
from collections import deque
from collections.abc import Iterator

from .lane import Entry

REFUSE, OLDEST, NEWEST = "refuse", "oldest", "newest"

logger = logging.getLogger("eventhive.gateway")

_POLICIES = {
    REFUSE: "what comes is not acknowledged, so that devices keep it",
    OLDEST: "the oldest events are dropped for it",
    NEWEST: "what comes is acknowledged and dropped",
}


class Quota:
    """`limit` bytes of a network's events, from which on `policy` holds: REFUSE, OLDEST or NEWEST.

    `used` are the bytes of events with rows of their own, `refused` the events that wait for room, in their order;
    `dropped` counts those that the policy has dropped.
    """

    def __init__(self, network: str, limit: int, policy: str):
        self.limit = limit
        self.policy = policy
        self.used = self.dropped = 0
        self.refused: deque[Entry] = deque()
        self._network = network
        self._told = False

    @property
    def spent(self) -> bool:
        """True where what comes has no room, or would pass by what waits for it."""
        return self.used >= self.limit or bool(self.refused)

    def change(self, limit: int, policy: str) -> None:
        """The configuration is another one."""
        self.limit, self.policy = limit, policy
        self._told = False

    def exceeded(self) -> None:
        """Something came that has no room."""
        if not self._told:
            self._told = True
            what = _POLICIES[self.policy]
            logger.error("network %s: its %d bytes of the spool are full: %s", self._network, self.limit, what)

    def admitted(self) -> Iterator[Entry]:
        """What was refused and has room now."""
        while self.refused and self.used < self.limit:
            yield self.refused.popleft()
        if self._told and self.used < self.limit // 2 and not self.refused:
            self._told = False
            what = "network %s: its part of the spool has room again (dropped: %d)"
            logger.warning(what, self._network, self.dropped)
