"""The block cipher of `aes.py` on CPython, from pycryptodome; no board loads this.

A call of pycryptodome costs as much as encrypting two hundred blocks, so the key stream of the records that will come
next is made in the same call: counters are known before there is anything to encrypt. Where they are random, single
blocks are still the cheaper way: a new object in counter mode costs five such calls.
"""

# Records made ahead in one call, and blocks of each: most events with their acknowledgement fit 128 bytes.
RECORDS = 16
BLOCKS = 8

_LANES = RECORDS * BLOCKS
_ONES = int.from_bytes((bytes(15) + b"\1") * _LANES, "big")
_STEPS = int.from_bytes(
    b"".join([(record << 32 | block).to_bytes(16, "big") for record in range(RECORDS) for block in range(BLOCKS)]),
    "big",
)


class BlockCipher:
    """Encrypts counter blocks (16 bytes, each one more than the one before): only the first of a call is looked at."""

    def __init__(self, key: bytes):
        from Crypto.Cipher import AES

        self._cipher = AES.new(key, AES.MODE_ECB)
        self._streams: "dict[bytes, bytes]" = {}

    def encrypt(self, blocks: bytes) -> bytes:
        """The encrypted counter blocks."""
        size = len(blocks)
        if size > 16 * BLOCKS or not size:
            return self._cipher.encrypt(blocks)
        first = blocks[:16]
        stream = self._streams.pop(first, None)
        if stream is None:
            stream = self._make(first)
        return stream[:size]

    def _make(self, first: bytes) -> bytes:
        counters = (int.from_bytes(first, "big") * _ONES + _STEPS).to_bytes(16 * _LANES, "big")
        made = self._cipher.encrypt(counters)
        step = 16 * BLOCKS
        self._streams = {counters[at : at + 16]: made[at : at + step] for at in range(0, 16 * _LANES, step)}
        return self._streams.pop(first)


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
