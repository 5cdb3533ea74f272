"""The server of one network in this process, and its announcement."""

import asyncio
import logging
import secrets
from typing import Any

from . import access, config
from .core.errors import LocalError
from .discovery import Announcement, Announcer
from .reach import reach
from .servers.broker import Broker
from .servers.websocket import WebsocketServer

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
        self._rival: asyncio.Future[Announcement] | None = None
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
        self._server = self._servers[given.network] = server
        if given.broadcast:
            await self._announce(server, since)

    async def rival(self) -> Announcement:
        """Wait until a server is announced to which this one should give way."""
        if self._rival is None or self._rival.done():
            self._rival = asyncio.get_running_loop().create_future()
        return await self._rival

    async def withdraw(self) -> None:
        """Announce the server no more."""
        announcer, self._announcer = self._announcer, None
        if announcer is not None:
            self._broadcasters.pop(self._config.network, None)
            await announcer.stop()

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

    async def _announce(self, server: WebsocketServer, since: int) -> None:
        address, network = self._config.address, self._config.network
        try:
            where = reach(address.host, self._interfaces)
            own = Announcement(
                network, where.host, server.port, address.endpoint, address.scheme, since, secrets.token_hex(8)
            )
            announcer = Announcer(own, where, self._heard)
            await announcer.start()
        except LocalError as error:
            logger.error("%s: nobody will find its server: %s", network, error)
            return
        self._announcer = self._broadcasters[network] = announcer
        logger.info("%s: announced as %s", network, own)

    def _heard(self, other: Announcement) -> None:
        announcer = self._announcer
        if announcer is None:
            return
        own = announcer.announcement
        if own.since and other.rank < own.rank:
            if self._rival is not None and not self._rival.done():
                self._rival.set_result(other)
        elif not own.since and not other.since and not self._warned:
            # The other one does not give way either.
            self._warned = True
            logger.warning(
                "%s: another server is announced, as %s: who looks finds the one or the other", own.network, other
            )
