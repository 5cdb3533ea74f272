"""The device's hand-shake: what it answers to a challenge. Loaded for each connection, and forgotten after it.

The first record goes out with the hello, before the gateway has answered, and carries as many waiting events as fit;
but in the first session of a boot, which has no stream yet and so no numbers.
"""

from .clear import (
    CHALLENGE_BYTES,
    CHALLENGE_KIND,
    HELLO_KIND,
    NONCE_BYTES,
    SEALED,
    STREAM_BYTES,
    UNKEYED,
    VERSION,
)
from .envelope import OPEN
from .errors import PeerError
from .seal import Sealed, session_keys
from .session import GREETED, Session

# Hello and first record together; the gateway takes no more than 1 KiB from somebody it does not know yet.
FIRST_FLIGHT_BYTES = 768


def greet(challenge: bytes, name: str, link, keygen: int, attempt: int, seed: bytes, limit: int, heartbeat_s: int, outbox, mark):
    """(hello, session) of a device that was challenged; `PeerError` says why it cannot answer.

    `name` is the device's id, `link` its `link_mac` (None: without a key), `attempt` a number that no earlier connection
    of this device has used, `seed` fresh random bytes; the rest is as in `Session`.
    """
    if len(challenge) != CHALLENGE_BYTES or challenge[0] != CHALLENGE_KIND or challenge[3] > SEALED:
        raise PeerError("the other end is no EventHive gateway: its first message is not a challenge")
    if not challenge[1] <= VERSION <= challenge[2]:
        raise PeerError("the gateway speaks link versions %d to %d, this device %d" % (challenge[1], challenge[2], VERSION))
    if challenge[3] == SEALED and not link:
        raise PeerError("the gateway takes no device without a key; enrol this one and give it its eventhive.json")
    counted = attempt.to_bytes(4, "big")
    mode, nonce = UNKEYED, bytes(NONCE_BYTES)
    if link:
        mode, nonce = SEALED, link.digest(b"nonce", seed + counted)[:NONCE_BYTES]
    stream = bytes.fromhex(outbox.stream) if outbox.stream else bytes(STREAM_BYTES)
    hello = bytes((HELLO_KIND, VERSION, mode, keygen)) + limit.to_bytes(2, "big") + stream + counted + nonce
    hello += bytes((len(name),)) + name.encode()
    session = Session(limit, outbox, mark)
    if link:
        up, down = session_keys(link, challenge, hello)
        seal, unseal = Sealed(up), Sealed(down)
    else:
        from .unkeyed import Unkeyed

        seal = unseal = Unkeyed()
    session.say(b"[%d,%d]" % (OPEN, heartbeat_s))
    session.begin(GREETED, seal, unseal, int.from_bytes(challenge[4:6], "big"), heartbeat_s)
    session.flight = FIRST_FLIGHT_BYTES - len(hello)
    return hello, session
