"""The networks that a hive has joined: made at its start, and joined, left or moved while it runs.

Rules of this file: all of it is in the loop of the hive. A network that is left gives back what it did not pass on.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from . import config
from .connectors.base import Connector, Event
from .connectors.roaming import RoamingConnector
from .core.names import SEPARATOR, is_remote, split_name
from .dispatch import Dispatcher
from .eventlist import ProgramEvents
from .network import Network
from .once import Arrival
from .replies import INBOX_BYTES, Question, Requests

if TYPE_CHECKING:
    from .membership import Membership

Running = tuple[dict[str, Connector], dict[str, Any], dict[str, Any]]

# How long networks are waited for that neither come up nor fail.
SETTLE_SECONDS = 5.0

logger = logging.getLogger("eventhive")


class Joined:
    """The networks of a program with these `events`; `dispatcher` runs its hooks, and has to be set before `make`.

    All are dicts by the name of a network: `networks`, `connectors`, `memberships`, `hooked`, and `servers` and
    `broadcasters`, which hold what this process hosts and announces.
    """

    dispatcher: Dispatcher

    def __init__(self, events: ProgramEvents, loop: asyncio.AbstractEventLoop, running: Running):
        self.networks: dict[str, Network] = {}
        self.memberships: dict[str, Membership] = {}
        self.hooked: dict[str, HookedNetwork] = {}
        self.connectors, self.servers, self.broadcasters = running
        self._events = events
        self._loop = loop

    def make(self, name: str, settings: config.Config) -> None:
        """Make what a configuration says of one network; `starts` has to follow. `LocalError` says what is wrong."""
        from .membership import Membership

        joins, common = settings.connectors.get(name), settings.eventhive
        one = Membership(name, joins, settings.servers.get(name), common.interfaces, self.servers, self.broadcasters)
        self.memberships[name] = one
        if joins is not None and one.connector is not None:
            seal = joins.secret.make(name, common.metadata_key, bool(joins.metadata_key))
            requests = Requests(name, common.metadata_key, os.urandom(INBOX_BYTES), self._loop.call_later)
            network = Network(
                name, joins.input_channel, one.connector, joins.metadata_key, self.dispatcher, requests, seal
            )
            self.networks[name] = network
            self.connectors[name] = one.connector
            self.hooked[name] = HookedNetwork(network, self.dispatcher, joins.receive_own, self._events.hooked)

    def starts(self) -> list[Coroutine[Any, Any, None]]:
        """What connects and hosts all that was made."""
        return [one.start() for one in self.memberships.values()]

    def subscribe(self, name: str) -> None:
        """Have events called `channel/event` delivered to the hooks of this program, wherever that is its channel."""
        for hooked in self._receiving(name):
            hooked.network.subscribe(f"{hooked.network.name}{SEPARATOR}{name}", hooked)

    def unsubscribe(self, name: str) -> None:
        """The reverse."""
        for hooked in self._receiving(name):
            hooked.network.unsubscribe(f"{hooked.network.name}{SEPARATOR}{name}", hooked)

    async def join(self, name: str, settings: config.Config, prepare: Callable[[Network], object]) -> None:
        """Join one more network, and host it where that is configured; where it raises `LocalError`, `leave` it.

        `prepare(network)` is called before there is a connection, which is then waited for as long as at a start.
        """
        self.make(name, settings)
        if name in self.networks:
            for event in self._events.match():
                self.subscribe(event)
            prepare(self.networks[name])
            if self.dispatcher.congested:
                self.connectors[name].pause()
        await self.memberships[name].start()
        if name in self.connectors:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.connectors[name].settled.wait(), SETTLE_SECONDS)

    async def leave(self, name: str, seconds: float) -> list[Event]:
        """Leave a network, and host it no more; returns what it could not pass on within `seconds`."""
        membership, network = self.memberships.pop(name, None), self.networks.pop(name, None)
        self.connectors.pop(name, None)
        self.hooked.pop(name, None)
        end = self._loop.time() + seconds
        if membership is not None:
            await membership.stay()
        left: list[Event] = []
        if network is not None:
            lost = await network.stop(seconds)
            left = network.sealing.withdraw()
            if lost:
                logger.error("%s: %d events were not sent in time", name, lost)
        if membership is not None:
            await membership.stop(max(end - self._loop.time(), 0))
        return left

    def carrier(self, joins: config.Connector) -> Connector:
        """A carrier to `exchange` to; `LocalError` says why there can be none, and nothing has changed."""
        from .membership import connector_of

        return connector_of(joins)

    def exchange(self, name: str, carrier: Connector) -> None:
        """Have a network go on with another carrier, which is given what the last one has not passed on."""
        network, connector = self.networks[name], self.connectors[name]
        if not isinstance(connector, RoamingConnector):
            old, connector = connector, RoamingConnector(name)
            network.use(connector)
            connector.adopt(old, network.topics)
            self.connectors[name] = connector
        if self.dispatcher.congested:
            connector.pause()
        connector.use(carrier)

    def _receiving(self, name: str) -> "list[HookedNetwork]":
        if SEPARATOR not in name or is_remote(name):
            return []
        channel = split_name(name)[1]
        return [hooked for hooked in self.hooked.values() if channel == hooked.network.input_channel]


class HookedNetwork:
    """The hooks of this program as a participant of one network.

    `origin` is whose events do not come back here: nobody's, where the program wants its own. `hooked(event)` tells
    whether a function hooks an event.
    """

    def __init__(
        self, network: Network, dispatcher: Dispatcher, receive_own: bool, hooked: Callable[[str], bool]
    ):
        self.network = network
        self._hooked = hooked
        self.origin = None if receive_own else self
        self._prefix = len(network.name) + len(SEPARATOR)
        self._put = dispatcher.put

    def deliver(self, topic: str, data: Any) -> None:
        """Have the hooks of `channel/event` called."""
        self._put(topic[self._prefix :], data)

    def ask(self, topic: str, question: Question) -> None:
        """Have the hooks answer."""
        self._put(topic[self._prefix :], question)

    def takes(self, topic: str) -> bool:
        """True where a function hooks `channel/event`."""
        return self._hooked(topic[self._prefix :])

    def take(self, topic: str, arrival: Arrival) -> bool:
        """Have the hooks called, which tell when they have ended."""
        self._put(topic[self._prefix :], arrival)
        return True
