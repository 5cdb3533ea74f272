"""The three frames that travel in clear, before there are keys. Fixed layouts, big-endian; any other length is refused.

    challenge = 01 lowest highest mode limit:u16 nonce:16               gateway, first of all
    hello     = 02 version mode keygen limit:u16 stream:8 attempt:u32 nonce:16 n:u8 id:n
    refuse    = 03 reason                                               gateway, instead of a welcome; not authentic

`mode` is 1 for sealed, 0 for unkeyed; in a challenge, 0 says that unkeyed is accepted too. `limit` is the largest
carrier message, in bytes, that the sender of the frame takes.
"""

from .errors import PeerError
from .names import is_id

VERSION = 1

UNKEYED = 0
SEALED = 1

NONCE_BYTES = 16
STREAM_BYTES = 8
NO_STREAM = bytes(STREAM_BYTES)
CHALLENGE_BYTES = 22
_HELLO_HEAD = 35

REFUSE_VERSION = 1
REFUSE_KEY = 2
REFUSE_UNKEYED = 3
REFUSE_BUSY = 4
REFUSE_ATTEMPT = 5

_REFUSALS = {
    REFUSE_VERSION: "it speaks no common version of the link: update the older end",
    REFUSE_KEY: "unknown id, or wrong key: compare this id and key with the gateway's key file",
    REFUSE_UNKEYED: "it takes no device without a key here: enrol this one with 'eventhive device add'",
    REFUSE_BUSY: "it has too many connections: it will be tried again",
    REFUSE_ATTEMPT: "this boot count was used before: a second board with this id, or a restored file system",
}


def pack_challenge(mode: int, limit: int, nonce: bytes) -> bytes:
    """The challenge of a gateway that speaks exactly `VERSION`."""
    return bytes((1, VERSION, VERSION, mode)) + limit.to_bytes(2, "big") + nonce


def unpack_challenge(frame: bytes) -> "tuple[int, int, int, int]":
    """(lowest version, highest version, mode, limit)."""
    if len(frame) != CHALLENGE_BYTES or frame[0] != 1 or frame[3] > SEALED:
        raise PeerError("the other end is no EventHive gateway: its first message is not a challenge")
    return frame[1], frame[2], frame[3], int.from_bytes(frame[4:6], "big")


def pack_hello(mode: int, keygen: int, limit: int, stream: bytes, attempt: int, nonce: bytes, name: str) -> bytes:
    """The hello of a device that speaks `VERSION`."""
    head = bytes((2, VERSION, mode, keygen)) + limit.to_bytes(2, "big") + stream + attempt.to_bytes(4, "big")
    return head + nonce + bytes((len(name),)) + name.encode()


class Hello:
    """A hello as it was received; attributes as in the layout, `stream` in bytes, `name` the device's id."""

    def __init__(self, frame: bytes):
        if len(frame) <= _HELLO_HEAD or frame[0] != 2 or len(frame) != _HELLO_HEAD + frame[34] or frame[2] > SEALED:
            raise PeerError("not a hello")
        self.version = frame[1]
        self.mode = frame[2]
        self.keygen = frame[3]
        self.limit = int.from_bytes(frame[4:6], "big")
        self.stream = bytes(frame[6:14])
        self.attempt = int.from_bytes(frame[14:18], "big")
        try:
            self.name = bytes(frame[_HELLO_HEAD:]).decode()
        except UnicodeError:
            self.name = ""
        if not is_id(self.name):
            raise PeerError("the id in a hello is not 1 to 32 letters, digits, '-' or '_'")


def pack_refuse(reason: int) -> bytes:
    """A refusal with one of the `REFUSE_` reasons."""
    return bytes((3, reason))


def refusal_text(reason: int) -> str:
    """What a person should know about a `REFUSE_` reason."""
    return _REFUSALS.get(reason, "reason %d, which this version does not know" % reason)


def refusal(frame: bytes) -> "int | None":
    """The reason in a refuse frame, or None when the frame is something else."""
    return frame[1] if len(frame) == 2 and frame[0] == 3 else None
