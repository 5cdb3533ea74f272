"""Opening a carrier to the gateway. Loaded for each connection, and forgotten after it."""

from .node import forget


async def dial(node, link, limit):
    """A carrier that takes messages of up to `limit` bytes; OSError, EOFError or a time-out say why there is none."""
    if link["type"] == "serial":
        if not node.serial or node.serial.gone:
            from .serial import connect

            node.serial = await connect(link["device"], limit)
        await node.serial.begin()
        return node.serial
    from .ws_connect import connect

    carrier = await connect(link["host"], link["port"], link["endpoint"], limit)
    # A name that stays in this frame would keep the whole module.
    connect = None
    forget("eventhive.ws_connect")
    return carrier
