"""One network of this process: its connector, its server, and where that is."""

from typing import Any

from . import config
from .connectors.base import Connector
from .connectors.memory import MemoryConnector
from .hosting import Host
from .redis_init import RedisInit
from .roaming import Roaming, websocket
from .section import near
from .servers.broker import Broker


class Membership:
    """What a configuration says of one network, made true; at least one of `joins` and `hosts` is given.

    `servers` and `broadcasters` hold what runs in this process, by the name of the network. Attribute: `connector`,
    None where only a server is configured.
    """

    def __init__(
        self,
        network: str,
        joins: config.Connector | None,
        hosts: config.Server | None,
        interfaces: tuple[str, ...],
        servers: dict[str, Any],
        broadcasters: dict[str, Any],
    ):
        self.connector: Connector | None = None
        self._host = Host(hosts, interfaces, servers, broadcasters) if hosts else None
        self._roaming: Roaming | None = None
        from_broadcast = joins.from_broadcast if joins else 0
        if (hosts.needed if hosts else from_broadcast) and not (joins and joins.kind != config.WEBSOCKET):
            looks_up = from_broadcast or bool(hosts and hosts.broadcast) * config.FROM_BROADCAST_SECONDS
            self._roaming = Roaming(network, joins, self._host, looks_up, interfaces)
            self.connector = self._roaming.connector
        elif joins is not None and self._host is not None and joins.redis is None:
            self.connector = MemoryConnector(joins.network, self._host.broker)
        elif joins is not None:
            self.connector = connector_of(joins)

    async def start(self) -> None:
        """Host, or find a server; returns after the first attempt. `LocalError` says what cannot be opened."""
        if self._roaming is not None:
            await self._roaming.start()
            return
        if self._host is not None:
            await self._host.open(0)
        if self.connector is not None:
            self.connector.start()

    async def stay(self) -> None:
        """Look for no other server any more; to be called before `connector` is stopped."""
        if self._roaming is not None:
            await self._roaming.stop()

    async def stop(self, seconds: float) -> None:
        """Stop hosting; clients have `seconds` to take what waits for them."""
        if self._host is not None:
            await self._host.close(seconds)


def connector_of(joins: config.Connector) -> Connector:
    """The connector to what a configuration names; `LocalError` says why there can be none."""
    if joins.redis is not None:
        return _redis(joins.network, joins.redis)
    if joins.kind == config.MEMORY:
        return MemoryConnector(joins.network, Broker())
    return websocket(joins, joins.address)


def _redis(network: str, init: RedisInit) -> Connector:
    try:
        from .connectors.redis import RedisConnector
        from .connectors.redis_servers import UnusableInit
    except ModuleNotFoundError as error:
        missing = "Redis needs a library that is not installed: pip install 'eventhive[redis]'"
        raise init.section.error("", missing) from error
    try:
        return RedisConnector(network, init.keywords)
    except UnusableInit as error:
        raise init.section.error(error.key, f"{error}{near(error.key, error.known)}") from None
