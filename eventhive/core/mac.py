"""HMAC-SHA256 (RFC 2104, RFC 4231) and comparison in constant time, from `hashlib.sha256` alone.

MicroPython has neither `hmac` nor a `copy()` of a hash, so a key is kept as its two prepared pads.
"""

from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _hashlib import HASH
    from collections.abc import Callable

_BLOCK_BYTES = 64


def _prepared(pad: bytes) -> "Callable[[], HASH]":
    """A function that gives a new hash which has read the pad."""
    return getattr(sha256(pad), "copy", None) or (lambda: sha256(pad))


def _pad(key: bytes, byte: bytes) -> bytes:
    pad = int.from_bytes(key, "big") ^ int.from_bytes(byte * _BLOCK_BYTES, "big")
    return pad.to_bytes(_BLOCK_BYTES, "big")


class Mac:
    """HMAC-SHA256 under one key, which may have any length."""

    def __init__(self, key: bytes):
        if len(key) > _BLOCK_BYTES:
            key = sha256(key).digest()
        key += bytes(_BLOCK_BYTES - len(key))
        self._inner = _prepared(_pad(key, b"\x36"))
        self._outer = _prepared(_pad(key, b"\x5c"))

    def digest(self, first: bytes, second: bytes = b"") -> bytes:
        """The 32-byte code of `first` followed by `second`."""
        inner = self._inner()
        inner.update(first)
        inner.update(second)
        outer = self._outer()
        outer.update(inner.digest())
        return outer.digest()


def equal(left: bytes, right: bytes) -> bool:
    """Compare two byte strings in a time that depends on their lengths only."""
    size = len(left)
    if size != len(right):
        return False
    # The differing first bytes keep the integer at full length; counting reads all of it, where `==` stops early.
    difference = int.from_bytes(b"\1" + left, "big") ^ int.from_bytes(b"\2" + right, "big")
    return difference.to_bytes(size + 1, "big").count(b"\0") == size
