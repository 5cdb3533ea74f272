"""A network whose server may be in this process or elsewhere, and may change its place.

Rules of this file:
1. Where a server may be elsewhere, it is looked for first; one is made here only where none was found.
2. Two servers of one network end as one: the younger gives way to the older, once it has seen that it can be reached.
   Before it moves, it takes no more events, so that what it confirmed was delivered.
3. A server that is gone is looked for again, and made again where that is wanted.
"""

import asyncio
import contextlib
import logging
import random
import time

from . import access, config, discovery, reach
from .config import Address
from .connectors.memory import MemoryConnector
from .connectors.roaming import RoamingConnector
from .connectors.websocket import WebsocketConnector
from .core.backoff import delays
from .core.errors import LocalError, PeerError
from .discovery import Announcement
from .hosting import Host
from .websocket import AddressInUse, ClientConnection, Credentials, connect

# Processes that lost their server at the same moment look for it differently long, by up to a second: mostly one makes
# a new one, and the others hear of it in time.
JITTER_BITS = 10
# Between two looks for a server that was not found, or was and has no connection yet.
FIRST_PAUSE_MS = 250
MAX_PAUSE_MS = 5000
# A process without a connector does not see that the server is gone, and looks from time to time.
LOOK_SECONDS = 10.0
# How long a server that replaces another one keeps the events of this process: meanwhile, the others come back.
RETURN_SECONDS = 2.0
# How long a first connection is waited for, and clients that still take events from a server that gives way.
PROBE_SECONDS = 3.0
LEAVE_SECONDS = 2.0
# Warnings that are remembered so as not to be repeated. What is announced is part of them, and may be anything.
MAX_SAID = 100

logger = logging.getLogger("eventhive")


def credentials(given: access.ClientAccess, scheme: str) -> Credentials:
    """What a connector presents and verifies; `LocalError` names a file that cannot be used."""
    tokens = given.token.read()
    tls = access.client_context(given) if scheme == access.TLS else None
    return Credentials(tokens[0] if tokens else "", tls, given.server_name)


def websocket(joins: config.Connector, address: Address) -> WebsocketConnector:
    """The connector to a server at a known address."""
    return WebsocketConnector(
        joins.network,
        address.host,
        address.port,
        address.endpoint,
        address.scheme,
        credentials(joins.access, address.scheme),
        joins.classic_only,
    )


class Roaming:
    """A network whose server may be here or elsewhere; `connector` leads there, where there is one.

    `joins` is what the configuration says of the connector, `host` opens a server where that is wanted; at least one is
    given. `seconds`: how long an announced server is looked for; 0: there is none but at the configured address.
    """

    def __init__(
        self,
        network: str,
        joins: config.Connector | None,
        host: Host | None,
        seconds: float,
        interfaces: tuple[str, ...],
    ):
        self.connector = RoamingConnector(network) if joins else None
        self._network = network
        self._joins = joins
        self._host = host
        self._seconds = seconds
        self._interfaces = interfaces
        self._address: Address | None = None
        self._task: asyncio.Task[None] | None = None
        self._said: set[str] = set()

    async def start(self) -> None:
        """Find a server or make one, once, and go on with that in the background; raises `LocalError`."""
        await self._settle(again=False)
        self._task = asyncio.get_running_loop().create_task(self._roam())

    async def stop(self) -> None:
        """Stay where it is."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _roam(self) -> None:
        pauses = delays(random.randrange, FIRST_PAUSE_MS, MAX_PAUSE_MS)
        while True:
            if self._host is not None and self._host.is_open:
                await self._give_way(self._host, await self._host.rival())
                continue
            if self.connector is not None and self.connector.connected:
                await self.connector.away.wait()
                pauses = delays(random.randrange, FIRST_PAUSE_MS, MAX_PAUSE_MS)
            elif self.connector is not None:
                await asyncio.sleep(next(pauses) / 1000)
            else:
                await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._settle(again=True)
            except LocalError as error:
                self._say(str(error))

    async def _settle(self, again: bool) -> None:
        """Find a server, or make one."""
        found = await self._find(again)
        if self.connector is not None and self.connector.connected:
            # Its server is back, where it was.
            return
        if found is not None:
            await self._join(found)
        elif self._host is not None:
            await self._open(self._host, again)
        elif self.connector is not None:
            self.connector.note(f"no announced server found within {self._seconds:g} s")

    async def _find(self, again: bool) -> Address | None:
        if not self._seconds:
            return None
        seconds = self._seconds + (random.getrandbits(JITTER_BITS) / 1000 if again else 0)
        try:
            found = await discovery.search(self._network, seconds, self._interfaces)
        except LocalError as error:
            self._say(str(error))
            return None
        usable = [one for one in found if self._may_use(one)]
        return _address(usable[0]) if usable else None

    def _may_use(self, found: Announcement) -> bool:
        joins = self._joins
        if joins is None or found.scheme == access.TLS:
            return True
        if joins.address.scheme == access.TLS:
            why = "'scheme: wss' is configured here"
        elif joins.access.token and not joins.access.insecure:
            why = "whoever announced it would be given the token: set 'scheme: wss' and 'ca', or 'insecure: true'"
        else:
            return True
        self._say(f"a server announced as {found} is not used: {why}")
        return False

    async def _open(self, host: Host, again: bool) -> None:
        try:
            await host.open(time.time_ns() // 1_000_000)
        except AddressInUse:
            await self._join(await self._find(again) or self._place_of(host))
            return
        if self.connector is not None:
            carrier = MemoryConnector(self._network, host.broker)
            self.connector.use(carrier, hold=again)
            if again:
                asyncio.get_running_loop().call_later(RETURN_SECONDS, self.connector.release, carrier)

    def _place_of(self, host: Host) -> Address:
        """Where the server is that has the place of our own."""
        if self._joins is not None and not self._seconds:
            return self._joins.address
        own = host.address
        return Address(reach.local(own.host), own.port, own.endpoint, own.scheme)

    async def _join(self, address: Address) -> None:
        if self.connector is None or self._joins is None:
            if address != self._address:
                logger.info("%s: there is a server at %s already", self._network, address)
        elif address != self._address or not isinstance(self.connector.carrier, WebsocketConnector):
            carrier = websocket(self._joins, address)
            self.connector.use(carrier)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(carrier.settled.wait(), PROBE_SECONDS)
        self._address = address

    async def _give_way(self, host: Host, rival: Announcement) -> None:
        if not self._may_use(rival):
            return
        problem = await self._probe(_address(rival))
        if problem:
            self._say(f"an older server is announced as {rival}, but cannot be reached: {problem}")
            return
        logger.info("%s: an older server is announced as %s: this one gives way to it", self._network, rival)
        await host.withdraw()
        host.shut()
        if self.connector is not None:
            # In the same step: what is called from now on waits for the older one.
            self.connector.leave()
        await self._join(_address(rival))
        await host.close(LEAVE_SECONDS)

    async def _probe(self, address: Address) -> str:
        """Why nobody could connect there; empty where one can."""
        try:
            if self._joins is None:
                async with asyncio.timeout(PROBE_SECONDS):
                    _, writer = await asyncio.open_connection(address.host, address.port)
                writer.close()
                return ""
            known = credentials(self._joins.access, address.scheme)
            where = (address.host, address.port, address.endpoint, address.scheme)
            (await connect(ClientConnection, *where, known, PROBE_SECONDS)).close()
        except TimeoutError:
            return "no answer"
        except (OSError, PeerError, LocalError) as error:
            return str(error)
        return ""

    def _say(self, what: str) -> None:
        """Log a warning, once."""
        if len(self._said) >= MAX_SAID:
            self._said.clear()
        if what not in self._said:
            self._said.add(what)
            logger.warning("%s: %s", self._network, what)


def _address(found: Announcement) -> Address:
    return Address(found.host, found.port, found.endpoint, found.scheme)
