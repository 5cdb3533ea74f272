"""The block cipher of `aes.py` on CPython, from pycryptodome; no board loads this.

A call of pycryptodome costs as much as encrypting two hundred blocks, so the key stream of the records that will come
next is made in the same call: counters are known before there is anything to encrypt. Where they are random, single
blocks are still the cheaper way: a new object in counter mode costs five such calls.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Records made ahead in one call, and blocks of each: most events with their acknowledgement fit 128 bytes.
RECORDS = 16
BLOCKS = 8

# Ciphers with a key stream made ahead, of all in this process: both directions of the 256 devices that sent last, in a
# megabyte. With one for each, a gateway would need 4 KB more for each of its devices, most of which are idle.
MAX_AHEAD = 512

_SPAN = 16 * BLOCKS
_LANES = RECORDS * BLOCKS
_ONES = int.from_bytes((bytes(15) + b"\1") * _LANES, "big")
_STEPS = int.from_bytes(
    b"".join([(record << 32 | block).to_bytes(16, "big") for record in range(RECORDS) for block in range(BLOCKS)]),
    "big",
)
_BLOCK_BITS = 0xFFFFFFFF

# Of each, by its `id`: the first counter block, as a number, and the key stream of that and the following records; the
# oldest comes first. A cipher that is no more takes its own along.
_ahead: "dict[int, tuple[int, bytes]]" = {}
# Ahead of no counter block.
_NONE = (1 << 128, b"")


class BlockCipher:
    """Encrypts counter blocks (16 bytes, each one more than the one before): only the first of a call is looked at."""

    __slots__ = ("_encrypt",)

    def __init__(self, key: bytes):
        from Crypto.Cipher import AES

        self._encrypt = AES.new(key, AES.MODE_ECB).encrypt

    def encrypt(self, blocks: bytes) -> bytes:
        """The encrypted counter blocks."""
        size = len(blocks)
        first = int.from_bytes(blocks[:16], "big")
        # In the middle of a record is the last piece of a long one.
        if size > _SPAN or not size or first & _BLOCK_BITS:
            return self._encrypt(blocks)
        begin, stream = _ahead.get(id(self), _NONE)
        record = first - begin >> 32
        if not 0 <= record < RECORDS:
            stream = self._make(first)
            record = 0
        return stream[record * _SPAN : record * _SPAN + size]

    def _make(self, first: int) -> bytes:
        stream = self._encrypt((first * _ONES + _STEPS).to_bytes(16 * _LANES, "big"))
        _ahead.pop(id(self), None)
        if len(_ahead) >= MAX_AHEAD:
            # None, where another thread was faster.
            _ahead.pop(next(iter(_ahead)), None)
        _ahead[id(self)] = first, stream
        return stream

    # Bound here, because at the end of the interpreter the module's names go first.
    def __del__(self, forget: "Callable[[int, None], object]" = _ahead.pop) -> None:
        forget(id(self), None)


# Longer data is worth a new object.
_SHORT_BLOCKS = 64
_SHORT_ONES = int.from_bytes((bytes(15) + b"\1") * _SHORT_BLOCKS, "big")
_SHORT_STEPS = int.from_bytes(b"".join([block.to_bytes(16, "big") for block in range(_SHORT_BLOCKS)]), "big")


class CounterMode:
    """AES in counter mode (NIST SP 800-38A, 6.5) from any first counter block, which counts in 128 bits and wraps."""

    def __init__(self, key: bytes):
        from Crypto.Cipher import AES

        self._key = key
        self._encrypt = AES.new(key, AES.MODE_ECB).encrypt

    def crypt(self, first: bytes, data: bytes) -> bytes:
        """Encrypt, or decrypt, `data`; `ValueError` when the first counter block has not 16 bytes."""
        if len(first) != 16:
            raise ValueError("a counter block has 16 bytes")
        size = len(data)
        blocks = (size + 15) >> 4
        start = int.from_bytes(first, "big")
        if blocks > _SHORT_BLOCKS or start + blocks >> 128:
            return self._long(first, data)
        unused = (_SHORT_BLOCKS - blocks) << 7
        counters = start * (_SHORT_ONES >> unused) + (_SHORT_STEPS >> unused)
        stream = self._encrypt(counters.to_bytes(blocks << 4, "big"))
        return (int.from_bytes(stream[:size], "big") ^ int.from_bytes(data, "big")).to_bytes(size, "big")

    def _long(self, first: bytes, data: bytes) -> bytes:
        from Crypto.Cipher import AES

        return AES.new(self._key, AES.MODE_CTR, nonce=b"", initial_value=first).encrypt(data)
