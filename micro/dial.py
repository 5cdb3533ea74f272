"""The way to a carrier to the gateway. Loaded for each connection, and forgotten before it is made."""

from .node import within

# Three times what a device asks in; where there is no other way, it waits for ever.
SERIAL_S = 6


async def dial(node, settings, link, limit):
    """What to await for a carrier that takes messages of up to `limit` bytes.

    OSError, EOFError or a time-out say why there is none, there or here.
    """
    if "host" not in link:
        carrier = link.get("carrier")
        if not carrier or carrier.gone:
            from .line import connect

            carrier = link["carrier"] = await connect(link, limit)
        asking = carrier.begin()
        return within(SERIAL_S, asking) if len(settings["link"]) > 1 else asking
    if "wifi" in settings:
        from .wifi import join

        await join(settings["wifi"], node)
    from .ws_connect import connect

    return connect(link, limit)
