"""Which Redis server: one address, the master that sentinels name, or any node of a cluster.

Rules of this file:
1. The keys of `init` are keywords of redis-py, whatever they are; what it does not take is an error that names the key.
2. Passwords and URLs are shown nowhere: a server is called by its address.
3. Whoever connects gets a pair of connections to one server. redis-py tries nothing twice: the connector does.
"""

import contextlib
import inspect
import os
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Connection, ConnectionPool, Redis, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisClusterException, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..core.errors import LocalError, PeerError

_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")

# How long one of several servers may take to say where the others are.
ASK_SECONDS = 2.0

# Pushes of protocol 3 take redis-py twice as long. Its time-out would be one for each write, and none is needed: the
# connector limits connecting, and notices when nothing is answered any more.
_DEFAULTS: dict[str, Any] = {"protocol": 2, "retry": Retry(NoBackoff(), 0), "socket_timeout": None}

# What redis-py raises; the second is none of the first.
ERRORS = (RedisError, RedisClusterException)

# A pair of connections: one to publish, one to subscribe.
Pair = tuple[Connection, Connection]


class UnusableInit(LocalError):
    """What is wrong with `key` of `init`, or with all of it where `key` is empty; `known` are keys there are."""

    def __init__(self, key: str, problem: str, known: tuple[str, ...] = ()):
        super().__init__(problem)
        self.key = key
        self.known = known


def servers(init: Mapping[str, Any]) -> "Servers":
    """The servers that `init` describes; raises `UnusableInit`."""
    keywords = {**init}
    if "decode_responses" in keywords:
        raise UnusableInit("decode_responses", "EventHive decodes by itself: leave this key out")
    keywords = {**_DEFAULTS, **keywords}
    kind: type[Servers] = Servers
    if keywords.pop("cluster", False):
        kind = Cluster
    elif "sentinels" in keywords:
        kind = Sentinels
    try:
        return kind(keywords)
    except TypeError as error:
        raise _unexpected(error, init) from None
    except (ValueError, *ERRORS) as error:
        if "url" in init:
            # Its parts may be in the text of the error.
            raise UnusableInit("url", "no URL of a Redis server, such as rediss://user:password@host:6379/0") from None
        raise UnusableInit("", f"redis-py does not take it: {_line(error)}") from None


class Servers:
    """One server; as a text, its address without user and password.

    `alone` is false where a server knows only some of the subscribers, because it is one of many.
    """

    alone = True

    def __init__(self, keywords: dict[str, Any]):
        self._pool = self._make_pool(keywords)
        kept = self._pool.connection_kwargs
        self._name = _address(kept, issubclass(self._pool.connection_class, SSLConnection))
        # What is wrong with the keywords is raised by the connection.
        self._pool.make_connection()

    def __str__(self) -> str:
        return self._name

    async def connect(self) -> Pair:
        """Two connections to the same server. Raises `RedisError` or `OSError`."""
        return await _connected(self._pool.make_connection(), self._pool.make_connection())

    async def close(self) -> None:
        """Close what serves for finding servers."""

    def _make_pool(self, keywords: dict[str, Any]) -> ConnectionPool:
        url = keywords.pop("url", None)
        client = Redis(**keywords) if url is None else Redis.from_url(url, **keywords)
        return client.connection_pool


class Sentinels(Servers):
    """The master that sentinels name at the time."""

    def _make_pool(self, keywords: dict[str, Any]) -> ConnectionPool:
        self._service = keywords.pop("service_name", None)
        if not self._service:
            raise UnusableInit("", "the key 'service_name' is missing: the name of the master that sentinels watch")
        asking = {**_DEFAULTS, "socket_timeout": ASK_SECONDS, **(keywords.pop("sentinel_kwargs", None) or {})}
        self._sentinel = Sentinel(keywords.pop("sentinels"), sentinel_kwargs=asking, **keywords)
        pool: ConnectionPool = self._sentinel.master_for(self._service).connection_pool
        return pool

    def __str__(self) -> str:
        return f"the master '{self._service}'"

    async def connect(self) -> Pair:
        """Two connections to the master. Raises `RedisError` or `OSError`."""
        publisher, subscriber = await super().connect()
        if _peer(publisher) != _peer(subscriber):
            await _disconnect(publisher, subscriber)
            raise PeerError("the master changed meanwhile")
        return publisher, subscriber

    async def close(self) -> None:
        """Disconnect from the sentinels."""
        for client in self._sentinel.sentinels:
            await client.aclose()


class Cluster(Servers):
    """Any node of a cluster: each one hands on to all what is published at one of them."""

    alone = False

    def __init__(self, keywords: dict[str, Any]):
        url = keywords.pop("url", None)
        nodes = [ClusterNode(host, port) for host, port in keywords.pop("startup_nodes", None) or ()]
        if nodes:
            keywords["startup_nodes"] = nodes
        elif url is None:
            keywords.setdefault("host", "localhost")
        self._own = {"socket_timeout": keywords["socket_timeout"]}
        keywords["socket_timeout"] = keywords["socket_timeout"] or ASK_SECONDS
        self._cluster = RedisCluster(**keywords) if url is None else RedisCluster.from_url(url, **keywords)
        self._name = "the cluster of " + ", ".join(self._cluster.nodes_manager.startup_nodes)

    async def connect(self) -> Pair:
        """Two connections to a node. Raises `RedisError` or `OSError`."""
        # Asked each time, at nodes that were known last: after an outage it may be another cluster.
        await self._cluster.aclose()
        await self._cluster.initialize()
        node = self._cluster.get_random_node()
        keywords = {**node.connection_kwargs, **self._own}
        return await _connected(node.connection_class(**keywords), node.connection_class(**keywords))

    async def close(self) -> None:
        """Disconnect from the nodes that were asked."""
        await self._cluster.aclose()


def reason(error: Exception) -> str:
    """Why there is no connection, in one line, without the address."""
    if isinstance(error, MasterNotFoundError):
        # Its text gives all sentinels with all their settings.
        return "no sentinel that can be reached knows it"
    for one in (error, error.__cause__, error.__context__):
        if isinstance(one, (TimeoutError, RedisTimeoutError)):
            return "no answer"
        if isinstance(one, ssl.SSLError):
            return getattr(one, "verify_message", "") or one.reason or "no TLS there"
        if isinstance(one, OSError) and one.errno:
            return (one.strerror if isinstance(one, socket.gaierror) else os.strerror(one.errno)) or str(one)
    return _line(error)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _unexpected(error: TypeError, init: Mapping[str, Any]) -> UnusableInit:
    found = _UNEXPECTED.search(str(error))
    if found is None:
        return UnusableInit("", f"redis-py does not take it: {_line(error)}")
    key = found[1]
    if key not in init and "url" in init:
        return UnusableInit("url", f"redis-py knows no '{key}', which is in its query")
    beside = " beside 'url'" if "url" in init else ""
    return UnusableInit(key, f"redis-py knows no such key{beside}", tuple(inspect.signature(Redis).parameters))


def _address(keywords: Mapping[str, Any], tls: bool) -> str:
    if path := keywords.get("path"):
        return f"unix://{path}"
    host = str(keywords.get("host", "localhost"))
    host = f"[{host}]" if ":" in host else host
    return f"{'rediss' if tls else 'redis'}://{host}:{keywords.get('port', 6379)}/{keywords.get('db') or 0}"


def _peer(connection: Connection) -> tuple[object, object]:
    return connection.host, connection.port


async def _connected(publisher: Connection, subscriber: Connection) -> Pair:
    try:
        for connection in (publisher, subscriber):
            await connection.connect()
            # A server that wants a password lets everyone connect.
            await connection.send_command("PING", check_health=False)
            with contextlib.suppress(NoPermissionError):
                await connection.read_response()
    except BaseException:
        await _disconnect(publisher, subscriber)
        raise
    return publisher, subscriber


async def _disconnect(*connections: Connection) -> None:
    for connection in connections:
        await connection.disconnect(nowait=True)
