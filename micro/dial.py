"""Opening a carrier to the gateway. Loaded for each connection, and forgotten after it."""

from .node import forget, within

# Three times what a device asks in; where there is no other way, it waits for ever.
SERIAL_S = 6


async def dial(node, settings, link, limit):
    """A carrier that takes messages of up to `limit` bytes; OSError, EOFError or a time-out say why there is none."""
    if "device" in link:
        if not node.serial or node.serial.gone:
            from .serial import connect

            node.serial = await connect(link["device"], limit)
        asking = node.serial.begin()
        await (within(SERIAL_S, asking) if len(settings["link"]) > 1 else asking)
        return node.serial
    if "wifi" in settings:
        from .wifi import join

        await join(settings["wifi"], node)
    from .ws_connect import connect

    carrier = await connect(link, limit)
    # A name that stays in this frame would keep the whole module.
    connect = None
    forget("eventhive.ws_connect")
    return carrier
