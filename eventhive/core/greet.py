"""The device's answer to a challenge: its hello, and the keys of the session that it begins.

What follows is in `opening.py` and `welcome.py`; a board loads one, forgets it, and loads the next.
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
from .errors import PeerError
from .keys import link_mac, session_keys


def greet(
    challenge: bytes,
    name: str,
    key: "bytes | None",
    keygen: int,
    attempt: int,
    seed: bytes,
    limit: int,
    stream: "str | None",
) -> "tuple[bytes, tuple[bytes, bytes] | None]":
    """(hello, (up, down)) of a device that was challenged; `PeerError` says why it cannot answer.

    `name` is the device's id, `key` its key (None: without one, and then there are none of the session either),
    `attempt` a number that no earlier connection of this device has used, `seed` fresh random bytes, `limit` the
    largest carrier message it takes, in bytes, `stream` that of its outbox.
    """
    if len(challenge) != CHALLENGE_BYTES or challenge[0] != CHALLENGE_KIND or challenge[3] > SEALED:
        raise PeerError("the other end is no EventHive gateway: its first message is not a challenge")
    if not challenge[1] <= VERSION <= challenge[2]:
        raise PeerError(
            "the gateway speaks link versions %d to %d, this device %d" % (challenge[1], challenge[2], VERSION)
        )
    if challenge[3] == SEALED and not key:
        raise PeerError("the gateway takes no device without a key; enrol this one and give it its eventhive.json")
    counted = attempt.to_bytes(4, "big")
    mode, nonce = UNKEYED, bytes(NONCE_BYTES)
    if key:
        link = link_mac(key)
        mode, nonce = SEALED, link.digest(b"nonce", seed + counted)[:NONCE_BYTES]
    begun = bytes.fromhex(stream) if stream else bytes(STREAM_BYTES)
    hello = bytes((HELLO_KIND, VERSION, mode, keygen)) + limit.to_bytes(2, "big") + begun + counted + nonce
    hello += bytes((len(name),)) + name.encode()
    return hello, session_keys(link, challenge, hello) if key else None
