"""HMAC-SHA256 (RFC 2104, RFC 4231) and comparison in constant time, from `hashlib.sha256` alone.

MicroPython has neither `hmac` nor a `copy()` of a hash, so a key is kept as its two pads.
"""

from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BLOCK_BYTES = 64

# `_begin(_prepare(pad))` is a hash that has read the pad: a copy of one, or where hashes cannot be copied, a new one.
_prepare: "Any" = sha256 if hasattr(sha256(), "copy") else bytes
_begin: "Any" = getattr(type(sha256()), "copy", sha256)


def _pad(key: bytes, byte: bytes) -> bytes:
    pad = int.from_bytes(key, "big") ^ int.from_bytes(byte * _BLOCK_BYTES, "big")
    return pad.to_bytes(_BLOCK_BYTES, "big")


class Mac:
    """HMAC-SHA256 under one key, which may have any length."""

    def __init__(self, key: bytes):
        if len(key) > _BLOCK_BYTES:
            key = sha256(key).digest()
        key += bytes(_BLOCK_BYTES - len(key))
        self._inner = _prepare(_pad(key, b"\x36"))
        self._outer = _prepare(_pad(key, b"\x5c"))

    def digest(self, first: bytes, second: bytes = b"") -> bytes:
        """The 32-byte code of `first` followed by `second`."""
        # One name for both: on a board, the first hash is gone before the second one is made.
        hashed = _begin(self._inner)
        hashed.update(first)
        hashed.update(second)
        code = hashed.digest()
        hashed = None
        hashed = _begin(self._outer)
        hashed.update(code)
        return hashed.digest()  # type: ignore[no-any-return]


def equal(left: bytes, right: bytes) -> bool:
    """Compare two byte strings in a time that depends on their lengths only."""
    size = len(left)
    if size != len(right):
        return False
    # The differing first bytes keep the integer at full length; counting reads all of it, where `==` stops early.
    difference = int.from_bytes(b"\1" + left, "big") ^ int.from_bytes(b"\2" + right, "big")
    return difference.to_bytes(size + 1, "big").count(b"\0") == size
