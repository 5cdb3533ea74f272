"""How many may be connected to the page, and how long one may take to say what it wants.

Rules of this file: nothing is known of who connects but the address, so what a stranger holds is bounded here: a
connection, for some seconds.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

# Open at a time: a few people with a few windows each, Prometheus and a probe. Each costs some 100 KB at most.
MAX_CONNECTIONS = 64
# Of one address: a browser opens six, whatever the number of its windows.
MAX_PER_ADDRESS = 32

# Until the head of the first request is there, and the body of each. Both are one packet, mostly.
HEAD_S = 10.0
BODY_S = 10.0
# How long a connection stays open for a further request; the page asks every two seconds.
IDLE_S = 30
# How long the rest of a refused request is read, so that the refusal arrives.
LINGER_S = 1.0

# What a browser's request has: several times that.
LINE_BYTES = 4096
FIELD_BYTES = 4096
MAX_FIELDS = 64


class Doors:
    """Makes the connections of a page with `factory`; `all_open()` are those that are open."""

    def __init__(self, factory: Callable[[], Any], all_open: Callable[[], list[Any]]):
        self._factory = factory
        self._open = all_open
        self._heard: WeakSet[Any] = WeakSet()

    def admits(self, host: str) -> bool:
        """True when one more may connect from an address."""
        hosts = [_host(one) for one in self._open()]
        return len(hosts) < MAX_CONNECTIONS and hosts.count(host) < MAX_PER_ADDRESS

    def __call__(self) -> Any:
        """A new connection, for a server of asyncio."""
        connection = self._factory()
        asyncio.get_running_loop().call_later(HEAD_S, self._hurry, connection)
        return connection

    def heard(self, transport: Any) -> None:
        """The head of a request has come."""
        self._heard.add(transport)

    def _hurry(self, connection: Any) -> None:
        if connection.transport is not None and connection.transport not in self._heard:
            connection.transport.abort()


def _host(connection: Any) -> str:
    peer = connection.transport.get_extra_info("peername") if connection.transport is not None else None
    return str(peer[0]) if peer else ""
