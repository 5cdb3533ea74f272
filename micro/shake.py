"""The hand-shake over a new carrier, from the device's end. Loaded for each connection, and forgotten after it."""

from os import urandom

from eventhive.core.errors import PeerError

from .node import forget, within
from .port import ticks_us

# A gateway challenges and answers at once; what does not is something else, or a connection that only seems to be one.
ANSWER_S = 5


async def shake_hands(node, settings, carrier, session):
    """Begin a new session; it runs then, or its `closed` says why the gateway does not want it.

    OSError, EOFError, `PeerError` or a time-out say why there is no gateway; the carrier is closed then.
    """
    try:
        await within(ANSWER_S, _shake_hands(node, settings, carrier, session))
    except BaseException as error:
        carrier.close(str(error))
        raise


async def _shake_hands(node, settings, carrier, session):
    challenge = await carrier.receive()
    from .boot import next_attempt

    attempt = next_attempt(node)
    # A name that stays in this frame would keep the whole module.
    next_attempt = None
    forget("eventhive.boot")
    from eventhive.core.greet import greet

    seed = urandom(16) + ticks_us().to_bytes(8, "big")
    name, keygen = settings["id"], settings.get("keygen", 0)
    hello, keys = greet(challenge, name, settings["key"], keygen, attempt, seed, session.limit, session.outbox.stream)
    greet = None
    forget("eventhive.core.keys")
    forget("eventhive.core.greet")
    from eventhive.core.opening import open_session

    open_session(session, challenge, hello, keys, settings["heartbeat"])
    open_session = None
    forget("eventhive.core.opening")
    if node.events:
        from .tell import tell_hooks

        tell_hooks(session, settings, node.events.match())
    carrier.send(hello)
    carrier.send(session.data_to_send())
    await carrier.drain()
    from eventhive.core.welcome import welcome

    try:
        node.time_ms = welcome(session, challenge, await carrier.receive())
    except PeerError as error:
        session.fail(str(error))
        carrier.close(session.closed)
