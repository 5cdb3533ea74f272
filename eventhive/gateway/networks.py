"""The networks of a gateway, as its bridge and its spool have them: at its start, and while it runs.

Rules of this file:
1. A network is in the bridge, and has its place in the spool, before it has a connection.
2. What a network that is left has not passed on stays in the spool; without one it is given up, and that is logged.
"""

import asyncio
from typing import Any

# The kind of network that lives in this process.
MEMORY = "memory"

# How long a network that is left may take to pass on what it has, as at the end of a gateway.
FLUSH_S = 5.0


def open_outlet(gateway: Any, network: Any, config: Any) -> None:
    """Have the events of a network go through the spool, where there is one, and the network is one for it."""
    joins, server = config.connectors[network.name], config.servers.get(network.name)
    # Those in this process are never away.
    here = joins.kind == MEMORY or (server is not None and not server.needed)
    if gateway.spool is None or (here and not joins.once):
        return
    share = config.gateway.spool.of(network.name) if config.gateway.spool is not None else gateway.config.spool.share
    gateway.bridge.outlets[network] = gateway.spool.add(network, joins.once, share.quota, share.policy)


async def join(gateway: Any, names: list[str], config: Any) -> None:
    """Join networks; `LocalError` says which cannot be joined, and then none of them is."""
    joined = gateway.hive.joined

    def prepare(network: Any) -> None:
        open_outlet(gateway, network, config)
        # So that what devices hook is subscribed with the connection.
        gateway.bridge.came()

    found = await asyncio.gather(*[joined.join(name, config, prepare) for name in names], return_exceptions=True)
    errors = [one for one in found if one is not None]
    if errors:
        await leave(gateway, names)
        raise errors[0]


async def leave(gateway: Any, names: list[str]) -> None:
    """Leave networks; what is not passed on in time stays in the spool."""
    await asyncio.gather(*[_leave(gateway, name) for name in names])


async def _leave(gateway: Any, name: str) -> None:
    bridge, network = gateway.bridge, gateway.hive.networks.get(name)
    outlet = gateway.spool.outlets.get(name) if gateway.spool is not None else None
    if network is not None:
        bridge.went(name)
        bridge.outlets.pop(network, None)
    left = await gateway.hive.joined.leave(name, FLUSH_S)
    if outlet is not None:
        outlet.retire()
        return
    for _, _, confirm, _ in left:
        # Its device must not wait for it: it would acknowledge nothing any more that comes after it.
        if confirm is not None:
            confirm()
