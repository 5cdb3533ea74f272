"""The headers of whole data frames (RFC 6455, 5.2): nothing else is needed on the fast path."""

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

__all__ = ["BINARY", "MASKED", "TEXT", "apply_mask", "head", "long_extent"]

# First bytes of a frame: the final bit and an opcode.
TEXT = 0x81
BINARY = 0x82
# The bit of the second byte that says a mask follows.
MASKED = 0x80

_SHORT = {kind: [bytes((kind, size)) for size in range(126)] for kind in (TEXT, BINARY)}
_SHORT_MASKED = {kind: [bytes((kind, size | MASKED)) for size in range(126)] for kind in (TEXT, BINARY)}


def head(kind: int, size: int, mask_bit: int) -> bytes:
    """The header of a frame with a payload of `size` bytes, without its mask."""
    if size < 126:
        return (_SHORT_MASKED if mask_bit else _SHORT)[kind][size]
    if size < 65536:
        return bytes((kind, 126 | mask_bit)) + size.to_bytes(2, "big")
    return bytes((kind, 127 | mask_bit)) + size.to_bytes(8, "big")


def long_extent(data: bytes, at: int, mask_bit: int) -> tuple[int, int]:
    """(start, size) of the payload of the frame at `at` whose size takes more than 7 bits.

    While the size is not all there, start is where it ends and size is 0. Size is -1 where the mask bit is wrong.
    """
    short = data[at + 1] ^ mask_bit
    if short > 127:
        return at, -1
    start = at + (4 if short == 126 else 10)
    if start > len(data):
        return start, 0
    return start + (4 if mask_bit else 0), int.from_bytes(data[at + 2 : start], "big")
