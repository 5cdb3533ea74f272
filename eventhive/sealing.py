"""What stands between a network and its connector: the seal of its events, where there is a secret.

Rules of this file:
1. With a seal, the connector carries sealed text only, and nothing else is taken from it.
2. What would grow old while it waits for a connection is kept here, and sealed when there is one.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from .classic import Payload
from .connectors.base import MAX_WAITING, Confirm, Connector, Event, Nobody
from .core.errors import LimitError, LocalError, PeerError
from .core.names import SEPARATOR
from .drops import Drops
from .seals.base import NOT_JSON, UNEXPECTED, Seal, is_classic, is_strict

# Events sealed without looking after anything else.
SLICE = 500

logger = logging.getLogger("eventhive")


class Sealing:
    """The connector of a network as the network uses it: plain data goes in, and comes out.

    `deliver(topic, data)` and `relieved()` are set by the user; see `Connector`. Counters: `unusable` received events
    that were not JSON, `unsealed` published ones that cannot be sealed, `drops.counts` received ones that were dropped.
    """

    def __init__(self, connector: Connector, seal: Seal | None):
        self.connector = connector
        self.deliver: Callable[[str, Any], None] = lambda topic, data: None
        self.relieved: Callable[[], None] = lambda: None
        self.unusable = self.unsealed = 0
        self._loop = asyncio.get_running_loop()
        self.drops = Drops(connector.network, self._loop.time)
        self._seal = seal
        self._prefix = connector.network + SEPARATOR
        self._kept: deque[Event] = deque()
        self._emptied = asyncio.Event()
        self.use(connector)

    def use(self, connector: Connector) -> None:
        """Go on with another connector; the last one has given back what it had, or is in this one's hands."""
        self.connector = connector
        connector.deliver = self._received
        connector.relieved = connector.came_up = self._send_kept

    def withdraw(self) -> list[Event]:
        """Give back what was not passed on; only `stop` may follow."""
        kept = [*self.connector.withdraw(), *self._kept]
        self._kept.clear()
        return kept

    @property
    def ready(self) -> bool:
        """False while it has as many events as it takes; then wait for `relieved`."""
        return len(self._kept) < MAX_WAITING and self.connector.ready

    def check(self, text: str) -> None:
        """Raise `LocalError` when the seal does not take data with this JSON text."""
        if self._seal is not None:
            self._seal.check(text)

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """As `Connector.publish`. What cannot be sealed is logged and counted, and there is nothing to wait for."""
        if self._seal is None:
            return self.connector.publish(topic, payload, confirm, nobody)
        if not self._kept and (self.connector.connected or not self._seal.ages):
            return self._publish(self._seal, topic, payload, confirm, nobody)
        if len(self._kept) >= MAX_WAITING:
            raise LimitError(f"{self.connector.network}: {MAX_WAITING} events wait for a connection already")
        self._kept.append((topic, payload, confirm, nobody))
        return False

    async def stop(self, seconds: float) -> int:
        """As `Connector.stop`."""
        end = self._loop.time() + seconds
        if self._kept:
            self._emptied.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), seconds)
        return len(self._kept) + await self.connector.stop(max(end - self._loop.time(), 0))

    def _publish(
        self, seal: Seal, topic: str, payload: Payload, confirm: Confirm | None, nobody: Nobody | None
    ) -> bool:
        try:
            sealed = Payload(text=seal.seal(topic, payload.text))
        except LocalError as error:
            self.unsealed += 1
            if self.unsealed == 1:
                logger.error("%s: events %s are not sent: %s", self.connector.network, topic, error)
            return True
        return self.connector.publish(topic, sealed, confirm, nobody)

    def _send_kept(self) -> None:
        for _ in range(SLICE):
            if not self._kept or self._seal is None or not self.connector.connected or not self.connector.ready:
                break
            topic, payload, confirm, nobody = self._kept.popleft()
            done = True
            try:
                done = self._publish(self._seal, topic, payload, confirm, nobody)
            except LimitError as error:
                logger.error("%s: an event is dropped: %s", self.connector.network, error)
            if done and confirm is not None:
                confirm()
        else:
            self._loop.call_soon(self._send_kept)
        if not self._kept:
            self._emptied.set()
        if self.ready:
            self.relieved()

    def _received(self, topic: str, payload: Payload) -> None:
        if not topic.startswith(self._prefix):
            # A server tells who asks for all topics of those of other networks too.
            return
        try:
            data = self._opened(topic, payload)
        except PeerError as error:
            self.drops(topic, str(error))
            return
        self.deliver(topic, data)

    def _opened(self, topic: str, payload: Payload) -> Any:
        if self._seal is not None:
            return self._seal.open(topic, payload.text)
        try:
            data = payload.data
        except PeerError:
            self.unusable += 1
            raise PeerError(NOT_JSON) from None
        if is_classic(data) or is_strict(data):
            raise PeerError(UNEXPECTED)
        return data
