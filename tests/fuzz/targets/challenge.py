"""The first message of a gateway: `core/greet.py`, with and without a key."""

from oracle import require

from eventhive.core.clear import CHALLENGE_BYTES, SEALED
from eventhive.core.errors import PeerError
from eventhive.core.greet import greet

PORTABLE = True
STREAM = False
LONGEST = 64
SHARE = 150
ERRORS = (PeerError,)

_SEED = bytes(24)
_STREAM = "a1a2a3a400000001"


def feed(pieces, seen):
    (challenge,) = pieces
    key = bytes(32) if challenge[-1:] < b"\x80" else None
    hello, keys = greet(challenge, "sensor-1", key, 0, 4097, _SEED, 1024, _STREAM)
    require(len(challenge) == CHALLENGE_BYTES and challenge[3] <= SEALED, "a challenge that is none is answered")
    require((keys is None) == (key is None) and len(hello) == 35 + 8, "a hello that is none")
    seen.append(hello)


def seeds():
    return {
        "sealed": bytes((1, 1, 1, 1, 4, 0)) + bytes(16),
        "unkeyed": bytes((1, 1, 1, 0, 4, 0)) + b"\xff" * 16,
        "newer": bytes((1, 2, 9, 1, 4, 0)) + bytes(16),
        "other-server": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    }
