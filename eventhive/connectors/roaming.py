"""A connector whose carrier is exchanged while it is used: a server here, a server elsewhere, or none for the moment.

Events wait here while there is no carrier, or while a carrier only receives. What a carrier has not passed on when it
is exchanged goes to the next one, before all that waits: order is kept, and an event may arrive twice, as after a
reconnect.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from ..classic import Payload
from ..core.errors import LimitError
from .backlog import Backlog
from .base import Confirm, Connector, Event, Nobody, logger


class RoamingConnector(Connector):
    """Joins this process to whichever carrier it was last given.

    `away` is set while there is none, or while it is not connected.
    """

    def __init__(self, network: str):
        super().__init__(network)
        self.away = asyncio.Event()
        self.away.set()
        self.carrier: Connector | None = None
        self._topics: dict[str, None] = {}
        self._all = False
        self._waiting: deque[Event] = deque()
        self._backlog = Backlog(network)
        self._paused = False
        self._holding = False
        self._gone: set[asyncio.Task[int]] = set()

    @property
    def ready(self) -> bool:
        """False while it has as many events as it takes."""
        if self.carrier is None or self._holding or self._waiting:
            return self._backlog.ready
        return self.carrier.ready

    def start(self) -> None:
        """The carrier is started when it is given."""

    def adopt(self, carrier: Connector, topics: Iterable[str]) -> None:
        """Take over a carrier that is in use, and has subscribed these topics: in place of the first `use`.

        Whoever used the carrier has to use this connector before that.
        """
        self._topics = dict.fromkeys(topics)
        self.connections = carrier.connections
        self.carrier = carrier
        carrier.came_up = _ignore
        self._listen(carrier)
        # It has been up before: that is no news.
        self.connected = carrier.connected
        self._changed()

    def use(self, carrier: Connector, hold: bool = False) -> None:
        """Exchange the carrier; with `hold`, it only receives until `release`."""
        self.leave()
        self.carrier = carrier
        self._holding = hold
        self._listen(carrier)
        if self._all:
            carrier.subscribe_all()
        else:
            for topic in self._topics:
                carrier.subscribe(topic)
        carrier.start()
        if self._paused:
            carrier.pause()
        self._changed()
        self._send()

    def leave(self) -> None:
        """Have no carrier until `use`; what the last one has not passed on waits."""
        carrier, self.carrier = self.carrier, None
        if carrier is None:
            return
        carrier.changed = carrier.relieved = _ignore
        carrier.deliver = _ignore
        withdrawn = carrier.withdraw()
        self._waiting.extendleft(reversed(withdrawn))
        for event in withdrawn:
            self._backlog.add(len(event[1].text))
        task = asyncio.get_running_loop().create_task(carrier.stop(0))
        self._gone.add(task)
        task.add_done_callback(self._gone.discard)
        self._changed()

    def release(self, carrier: Connector | None) -> None:
        """Let a carrier send; without effect when there is another one by now."""
        if carrier is self.carrier:
            self._holding = False
            self._send()

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """Pass an event on, or keep it until there is a carrier."""
        if self.carrier is not None and not self._holding and not self._waiting:
            return self.carrier.publish(topic, payload, confirm, nobody)
        payload.check()
        self._backlog.check("a server")
        self._waiting.append((topic, payload, confirm, nobody))
        self._backlog.add(len(payload.text))
        return False

    def subscribe(self, topic: str) -> None:
        """Subscribe a topic, with this carrier and each later one."""
        self._topics[topic] = None
        if self.carrier is not None and not self._all:
            self.carrier.subscribe(topic)

    def subscribe_all(self) -> None:
        """Subscribe all topics, with each carrier."""
        self._all = True

    def unsubscribe(self, topic: str) -> None:
        """The reverse."""
        self._topics.pop(topic, None)
        if self.carrier is not None:
            self.carrier.unsubscribe(topic)

    def pause(self) -> None:
        """Receive nothing for a while."""
        self._paused = True
        if self.carrier is not None:
            self.carrier.pause()

    def resume(self) -> None:
        """Receive again."""
        self._paused = False
        if self.carrier is not None:
            self.carrier.resume()

    def withdraw(self) -> list[Event]:
        """Give back what no carrier has passed on."""
        waiting = [*(self.carrier.withdraw() if self.carrier is not None else ()), *self._waiting]
        self._waiting.clear()
        self._backlog.clear()
        return waiting

    async def stop(self, seconds: float) -> int:
        """Wait until the carrier has everything, then leave it."""
        end = asyncio.get_running_loop().time() + seconds
        self.release(self.carrier)
        await self._backlog.drain(seconds)
        lost = len(self._waiting)
        if self.carrier is not None:
            lost += await self.carrier.stop(max(end - asyncio.get_running_loop().time(), 0))
        await asyncio.gather(*self._gone)
        self._became(False, "stopped")
        return lost

    def note(self, state: str) -> None:
        """Say why there is no carrier."""
        if self.carrier is None:
            self.settled.set()
            self._became(False, state, logging.WARNING)

    def _listen(self, carrier: Connector) -> None:
        carrier.deliver = self.deliver
        carrier.relieved = self._send
        carrier.changed = self._changed

    def _changed(self) -> None:
        carrier = self.carrier
        came_up = carrier is not None and carrier.connected and not self.connected
        self.connected = carrier is not None and carrier.connected
        if carrier is not None:
            self.state = carrier.state
            if carrier.settled.is_set():
                self.settled.set()
        if self.connected:
            self.away.clear()
        else:
            self.away.set()
        if came_up:
            self.connections += 1
            self.came_up()

    def _send(self) -> None:
        """Hand over what waits, as far as the carrier takes it."""
        carrier = self.carrier
        while self._waiting and carrier is not None and not self._holding and carrier.ready:
            topic, payload, confirm, nobody = self._waiting.popleft()
            self._backlog.remove(len(payload.text))
            try:
                done = carrier.publish(topic, payload, confirm, nobody)
            except LimitError as error:
                logger.error("%s: an event is dropped: %s", self.network, error)
                done = True
            if done and confirm is not None:
                confirm()
        if not self._waiting:
            self.relieved()


def _ignore(*arguments: object) -> None:
    """For a carrier that has been left."""
