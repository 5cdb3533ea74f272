"""Opening a carrier to the gateway. Loaded for each connection, and forgotten after it."""

from .node import forget

# The largest message taken from the gateway. A message is copied while it is opened and parsed, so a small heap needs
# several times this; a serial line is slower to fill and is answered line by line.
WEBSOCKET_LIMIT = 1024
SERIAL_LIMIT = 512


async def dial(node, link):
    """(carrier, limit), the limit in bytes of one message; OSError, EOFError or a time-out say why there is none."""
    if link["type"] == "serial":
        if not node.serial or node.serial.gone:
            from .serial import connect

            node.serial = await connect(link["device"], SERIAL_LIMIT)
        await node.serial.begin()
        return node.serial, SERIAL_LIMIT
    from .ws_connect import connect

    carrier = await connect(link["host"], link["port"], link["endpoint"], WEBSOCKET_LIMIT)
    # A name that stays in this frame would keep the whole module.
    connect = None
    forget("eventhive.ws_connect")
    return carrier, WEBSOCKET_LIMIT
