"""The contract of a connector.

Rules of this folder:
1. Everything happens in the loop of the hive, and nothing blocks it.
2. An outage is a state, not an exception: events wait, in order and bounded, until the carrier is back.
3. A connector carries payloads and topics; it knows nothing of hooks, devices or metadata.
"""

import asyncio
import logging
from collections.abc import Callable

from ..classic import Payload
from ..core.errors import LocalError

# Events that wait for the carrier's answer; as many as an answer that takes a second needs at full rate.
MAX_WAITING = 20_000
MAX_WAITING_BYTES = 64 * 1024 * 1024

# A hive is on the same machine or network; a server that was restarted is found again within a few seconds.
FIRST_PAUSE_MS = 100
MAX_PAUSE_MS = 5000

# A connection on which nothing arrives so long is asked whether it still is one.
KEEPALIVE_SECONDS = 20.0

Confirm = Callable[[], None]
# Called where the carrier knows that an event has reached no receiver.
Nobody = Callable[[], None]
# What waits for a carrier: topic, payload, and whom to tell.
Event = tuple[str, Payload, Confirm | None, Nobody | None]

logger = logging.getLogger("eventhive")


class Connector:
    """Carries the events of `network`.

    `deliver(topic, payload)`, `relieved()`, `came_up()` and `changed()` are set by the user: the first is called for
    each received event, the second when `ready` has become true, the third when `connected` has, the last when
    `connected` or `state` have changed. `settled` is set once the first attempt to connect has come to an end.
    `connections` counts how often `connected` has become true.
    """

    def __init__(self, network: str):
        self.network = network
        self.deliver: Callable[[str, Payload], None] = lambda topic, payload: None
        self.relieved: Callable[[], None] = lambda: None
        self.came_up: Callable[[], None] = lambda: None
        self.changed: Callable[[], None] = lambda: None
        self.settled = asyncio.Event()
        self.connected = False
        self.connections = 0
        self.state = "not started"

    @property
    def ready(self) -> bool:
        """True when it would be good to publish now; false asks to wait for `relieved`."""
        return True

    def alone(self, topic: str) -> bool:
        """True where an event of this topic would reach nobody now, so that it need not be published."""
        return False

    def start(self) -> None:
        """Begin to connect."""
        raise NotImplementedError

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """Pass an event on. True: the carrier has it. False: it waits, and `confirm` is called once the carrier has it.

        `nobody` is called, now or later, when the carrier says that the event has reached no receiver. Raises
        `LimitError` when no more can wait, or when the event is too long for the carrier.
        """
        raise NotImplementedError

    def subscribe(self, topic: str) -> None:
        """Have the events of this exact topic delivered, now and after each reconnect."""
        raise NotImplementedError

    def subscribe_all(self) -> None:
        """Have the events of all topics delivered: before `start`, and in place of `subscribe`.

        Raises `LocalError` where the carrier has no such subscription.
        """
        raise LocalError(f"{self.network}: its carrier takes exact names only, not '*'")

    def unsubscribe(self, topic: str) -> None:
        """Deliver the events of this topic no more."""
        raise NotImplementedError

    def pause(self) -> None:
        """Receive nothing for a while, where the carrier can keep it."""

    def resume(self) -> None:
        """Receive again."""

    def withdraw(self) -> list[Event]:
        """Give back what the carrier has not, in order: somebody else will pass it on. Only `stop` may follow."""
        return []

    async def stop(self, seconds: float) -> int:
        """Disconnect when the carrier has everything, or after `seconds`; returns how many events it has not."""
        raise NotImplementedError

    def _became(self, connected: bool, state: str, level: int = logging.INFO) -> None:
        """Note a state, and log it where it is a new one."""
        came_up = connected and not self.connected
        self.connected = connected
        if came_up:
            self.connections += 1
            self.came_up()
        if state != self.state:
            self.state = state
            logger.log(level, "%s: %s", self.network, state)
        self.changed()
