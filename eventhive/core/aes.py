"""AES-128 in counter mode (NIST SP 800-38A, 6.5), from single blocks.

No shipped MicroPython firmware has counter mode built in, so it is made from ECB. The counter blocks of a piece are one
big integer, which a board multiplies and encrypts in one call where a loop over blocks would cost it milliseconds.
This is the one file of the core that looks for something outside, and only when a cipher is made.
"""

try:
    from cryptolib import aes
except ImportError:
    try:
        from ucryptolib import aes
    except ImportError:
        aes = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A piece of 8 blocks on a board: larger integers leave more garbage behind than a small heap takes (a 900-byte record
# XORed at once leaves 11 KB), and most records are shorter anyway. Elsewhere, the largest message is one piece.
_LANES = 8 if aes else 256
_PIECE_BYTES = 16 * _LANES
_ONES = int.from_bytes((bytes(15) + b"\1") * _LANES, "big")
_STEPS = int.from_bytes(b"".join([bytes(15) + bytes([lane]) for lane in range(_LANES)]), "big")


def block_cipher(key: bytes) -> "Callable[[bytes], bytes]":
    """A function that encrypts counter blocks (16 bytes, each one more than the one before) under a 16-byte key."""
    if aes:
        return aes(key, 1).encrypt  # type: ignore[no-any-return]
    from .aes_host import BlockCipher

    return BlockCipher(key).encrypt


class Ctr:
    """One AES-128 key in counter mode; the 128-bit counter starts at `start << 32`: 2**32 blocks belong to a start."""

    def __init__(self, key: bytes):
        self._encrypt = block_cipher(key)

    def crypt(self, start: int, data: bytes) -> bytes:
        """Encrypt, or decrypt, `data` with the key stream that begins at counter block `start << 32`."""
        if len(data) <= _PIECE_BYTES:
            return self._piece(start << 32, data)
        pieces = []
        for at in range(0, len(data), _PIECE_BYTES):
            pieces.append(self._piece((start << 32) + at // 16, data[at : at + _PIECE_BYTES]))
        return b"".join(pieces)

    def _piece(self, counter: int, data: bytes) -> bytes:
        size = len(data)
        blocks = (size + 15) >> 4
        unused = (_LANES - blocks) << 7
        counters = counter * (_ONES >> unused) + (_STEPS >> unused)
        stream = self._encrypt(counters.to_bytes(blocks << 4, "big"))
        return (int.from_bytes(stream[:size], "big") ^ int.from_bytes(data, "big")).to_bytes(size, "big")
