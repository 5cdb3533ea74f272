"""The server of one network in this process, and its announcement."""

import asyncio
import logging
import secrets
from typing import Any

from . import access, config
from .core.errors import LocalError
from .discovery import Announcement, Announcer
from .reach import Reach, is_unspecified, reach
from .servers.broker import Broker
from .servers.websocket import WebsocketServer

# How often the addresses of this machine are looked at: a server may begin before its network is there.
REACH_SECONDS = 15.0

logger = logging.getLogger("eventhive")


class Host:
    """Opens and closes the server that `server` describes, as often as wanted.

    `servers` and `broadcasters` hold what is open, by the name of the network. Attributes: `address`, the configured
    one; `broker`, of the server that is open or opened next; `is_open`.
    """

    def __init__(
        self, server: config.Server, interfaces: tuple[str, ...], servers: dict[str, Any], broadcasters: dict[str, Any]
    ):
        self.broker = Broker()
        self.address = server.address
        self._config = server
        self._interfaces = interfaces
        self._servers = servers
        self._broadcasters = broadcasters
        self._server: WebsocketServer | None = None
        self._announcer: Announcer | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._older: Announcement | None = None
        self._heard_of_older = asyncio.Event()
        self._problem = ""
        self._warned = False

    @property
    def is_open(self) -> bool:
        """True while there is a server."""
        return self._server is not None

    async def open(self, since: int) -> None:
        """Serve, and announce it where that is configured.

        `since`: milliseconds since 1970, or 0 for a server that gives way to no other one. Raises `AddressInUse` and
        other kinds of `LocalError`; where only announcing fails, that is logged.
        """
        given = self._config
        server = WebsocketServer(
            given.network,
            given.address.host,
            given.address.port,
            self.broker,
            given.access.token.read(),
            access.server_context(given.access),
        )
        await server.start()
        self._older = None
        self._server = self._servers[given.network] = server
        if given.broadcast:
            where = await self._announce(server, since)
            self._keeper = asyncio.get_running_loop().create_task(self._keep_announced(server, since, where))

    async def rival(self) -> Announcement:
        """Wait until a server is announced to which this one should give way."""
        while self._older is None:
            self._heard_of_older.clear()
            await self._heard_of_older.wait()
        older, self._older = self._older, None
        return older

    async def withdraw(self) -> None:
        """Announce the server no more."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        await self._take_back()

    def shut(self) -> None:
        """Let nobody in any more, and take no events from anybody; `close` has to follow."""
        if self._server is not None:
            self._server.shut()

    async def close(self, seconds: float) -> None:
        """End announcement and server; clients have `seconds` to take what waits for them."""
        await self.withdraw()
        server, self._server = self._server, None
        if server is not None:
            self._servers.pop(self._config.network, None)
            self.broker = Broker()
            await server.stop(seconds)

    async def _announce(self, server: WebsocketServer, since: int) -> Reach | None:
        """Announce it; None where that is not possible, which is logged."""
        address, network = self.address, self._config.network
        try:
            where = reach(address.host, self._interfaces)
            own = Announcement(
                network, where.host, server.port, address.endpoint, address.scheme, since, secrets.token_hex(8)
            )
            announcer = Announcer(own, where, self._heard)
            await announcer.start()
        except LocalError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                logger.error("%s: nobody will find its server: %s", network, error)
            return None
        self._announcer = self._broadcasters[network] = announcer
        logger.info("%s: announced as %s", network, own)
        return where

    async def _keep_announced(self, server: WebsocketServer, since: int, where: Reach | None) -> None:
        """Announce it anew where this machine has got other addresses."""
        while is_unspecified(self.address.host):
            await asyncio.sleep(REACH_SECONDS)
            if reach(self.address.host, self._interfaces) != where:
                await self._take_back()
                where = await self._announce(server, since)

    async def _take_back(self) -> None:
        announcer, self._announcer = self._announcer, None
        if announcer is not None:
            self._broadcasters.pop(self._config.network, None)
            await announcer.stop()

    def _heard(self, other: Announcement) -> None:
        announcer = self._announcer
        if announcer is None:
            return
        own = announcer.announcement
        if own.since and other.rank < own.rank:
            self._older = other
            self._heard_of_older.set()
        elif not own.since and not other.since and not self._warned:
            # The other one does not give way either.
            self._warned = True
            logger.warning(
                "%s: another server is announced, as %s: who looks finds the one or the other", own.network, other
            )
