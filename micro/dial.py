"""Making a connection: carrier, boot count, hand-shake. Loaded for each connection, and forgotten after it."""

import asyncio
from os import rename, urandom

from eventhive.core.envelope import HOOKS, encode
from eventhive.core.errors import LocalError, PeerError
from eventhive.core.names import SEPARATOR

from .node import forget
from .port import ticks_us

# The largest message taken from the gateway. A message is copied while it is opened and parsed, so a small heap needs
# several times this; a serial line is slower to fill and is answered line by line.
WEBSOCKET_LIMIT = 1024
SERIAL_LIMIT = 512

# A gateway challenges and answers at once; what does not is something else, or a connection that only seems to be one.
ANSWER_S = 5

# `attempt` is the boot in 20 bits and the connection of that boot in 12.
CONNECTIONS = 4096
BOOTS = 1048576


async def dial(node, settings):
    """(session, carrier) of a new connection; the session runs, or `closed` says why the gateway does not want it.

    OSError, EOFError, `PeerError` or a time-out say why there is no gateway.
    """
    carrier, limit = await _carrier(node, settings["link"])
    try:
        session = await asyncio.wait_for(_shake_hands(node, settings, carrier, limit), ANSWER_S)
    except BaseException as error:
        carrier.close(str(error))
        raise
    return session, carrier


async def _carrier(node, link):
    if link["type"] == "serial":
        if not node.serial or node.serial.gone:
            from .serial import connect

            node.serial = await connect(link["device"], SERIAL_LIMIT)
        await node.serial.begin()
        return node.serial, SERIAL_LIMIT
    from .ws_connect import connect

    carrier = await connect(link["host"], link["port"], link["endpoint"], WEBSOCKET_LIMIT)
    connect = None
    forget("eventhive.ws_connect")
    return carrier, WEBSOCKET_LIMIT


def tell_hooks(session, settings, names):
    """Tell the gateway which of these local events it may send here."""
    for network, connector in settings["connectors"].items():
        for name in names:
            if name.startswith(connector.get("input_channel", "") + SEPARATOR):
                session.say(encode([HOOKS, network + SEPARATOR + name]))


async def _shake_hands(node, settings, carrier, limit):
    # Not before the carrier is there: what opened it has been forgotten by now.
    from eventhive.core.greet import greet, welcome

    challenge = await carrier.receive()
    if node.connection % CONNECTIONS == 0:
        node.boot = next_boot(node.boot_file)
    attempt = node.boot * CONNECTIONS + node.connection % CONNECTIONS
    node.connection += 1
    seed = urandom(16) + ticks_us().to_bytes(8, "big")
    name, keygen, heartbeat = settings["id"], settings.get("keygen", 0), settings["heartbeat"]
    hello, session = greet(
        challenge, name, settings["key"], keygen, attempt, seed, limit, heartbeat, node.outbox, node.mark
    )
    tell_hooks(session, settings, node.events.match())
    carrier.send(hello)
    carrier.send(session.data_to_send())
    await carrier.drain()
    try:
        node.time_ms = welcome(session, challenge, await carrier.receive())
    except PeerError as error:
        session.fail(str(error))
        carrier.close(session.closed)
    return session


def next_boot(path):
    """The number of this boot, saved before it is used: no two connections of a device may ever begin alike.

    Boards are known whose `os.urandom` gives the same bytes after each start, so the number is what tells their
    sessions apart; `LocalError` when it cannot be saved.
    """
    try:
        with open(path) as file:
            boot = int(file.read())
    except (OSError, ValueError):
        boot = 0
    boot = (boot + 1) % BOOTS
    try:
        with open(path + ".new", "w") as file:
            file.write(str(boot))
        rename(path + ".new", path)
    except OSError as error:
        raise LocalError("%s cannot be written (%s): without a boot count no session is safe" % (path, error))
    return boot
