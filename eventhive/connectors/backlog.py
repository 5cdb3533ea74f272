"""How much waits for a carrier, for each connector that keeps events until the carrier has them."""

import asyncio
import contextlib

from ..core.errors import LimitError
from .base import MAX_WAITING, MAX_WAITING_BYTES


class Backlog:
    """Counts `events` and their `bytes`, the one as the carrier has it: characters of text, or bytes of data."""

    def __init__(self, network: str):
        self.events = self.bytes = 0
        self._network = network
        self._full = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def ready(self) -> bool:
        """False while there is as much as may wait; then `remove` tells when it is good to go on."""
        self._full = self.events >= MAX_WAITING or self.bytes >= MAX_WAITING_BYTES
        return not self._full

    def check(self, carrier: object) -> None:
        """Raise `LimitError` while there is as much as may wait for `carrier`."""
        if not self.ready:
            raise LimitError(f"{self._network}: {self.events} events wait for {carrier} already")

    def add(self, size: int) -> None:
        """There is one more."""
        self.events += 1
        self.bytes += size
        if self.events == 1:
            self._empty.clear()

    def remove(self, size: int) -> bool:
        """There is one less; true when it was full, and is half empty now."""
        self.events -= 1
        self.bytes -= size
        if not self.events:
            self._empty.set()
        if self._full and self.events <= MAX_WAITING // 2 and self.bytes <= MAX_WAITING_BYTES // 2:
            self._full = False
            return True
        return False

    def clear(self) -> None:
        """There are none."""
        self.events = self.bytes = 0
        self._empty.set()

    async def drain(self, seconds: float) -> None:
        """Wait until there are none, at most so long."""
        if self.events:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)
