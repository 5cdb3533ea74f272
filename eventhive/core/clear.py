"""The three frames that travel in clear, before there are keys. Fixed layouts, big-endian; any other length is refused.

    challenge = 01 lowest highest mode limit:u16 nonce:16               gateway, first of all
    hello     = 02 version mode keygen limit:u16 stream:8 attempt:u32 nonce:16 n:u8 id:n
    refuse    = 03 reason                                               gateway, instead of a welcome; not authentic

`mode` is 1 for sealed, 0 for unkeyed; in a challenge, 0 says that unkeyed is accepted too. `limit` is the largest
carrier message, in bytes, that the sender of the frame takes. What only a gateway does with them is in
`gateway_session.py`, which no board needs.
"""

from .errors import PeerError

VERSION = 1

UNKEYED = 0
SEALED = 1

NONCE_BYTES = 16
STREAM_BYTES = 8
NO_STREAM = bytes(STREAM_BYTES)
CHALLENGE_BYTES = 22
HELLO_HEAD_BYTES = 35
CHALLENGE_KIND = 1
HELLO_KIND = 2
REFUSE_KIND = 3

def unpack_challenge(frame: bytes) -> "tuple[int, int, int, int]":
    """(lowest version, highest version, mode, limit)."""
    if len(frame) != CHALLENGE_BYTES or frame[0] != CHALLENGE_KIND or frame[3] > SEALED:
        raise PeerError("the other end is no EventHive gateway: its first message is not a challenge")
    return frame[1], frame[2], frame[3], int.from_bytes(frame[4:6], "big")


def pack_hello(mode: int, keygen: int, limit: int, stream: bytes, attempt: int, nonce: bytes, name: str) -> bytes:
    """The hello of a device that speaks `VERSION`."""
    head = bytes((HELLO_KIND, VERSION, mode, keygen)) + limit.to_bytes(2, "big") + stream + attempt.to_bytes(4, "big")
    return head + nonce + bytes((len(name),)) + name.encode()


def refusal(frame: bytes) -> "int | None":
    """The reason in a refuse frame, or None when the frame is something else."""
    return frame[1] if len(frame) == 2 and frame[0] == REFUSE_KIND else None
