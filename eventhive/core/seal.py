"""Sealed records: encrypt-then-MAC over the bytes that travel. The keys come from `keys.py`.

    record = ciphertext || HMAC-SHA256(mac key, u32(n) || ciphertext)[:16],  counter block = 0^8 || u32(n) || u32(block)

The record number n starts at 0 for each direction and never travels: carriers lose nothing in order.
"""

from .aes import Ctr
from .errors import PeerError
from .mac import Mac, equal

TAG_BYTES = 16

# A session ends long before a 32-bit record number, or the 2**48-block birthday bound of AES, could matter.
MAX_RECORDS = 1 << 24


class Sealed(Ctr):
    """One direction of a sealed session, from its 32-byte key: one end only seals with it, the other only opens."""

    overhead = TAG_BYTES

    def __init__(self, key: bytes):
        Ctr.__init__(self, key[:16])
        self._mac = Mac(key[16:])
        self._number = 0

    def seal(self, plain: bytes) -> bytes:
        """The next record of this direction."""
        number = self._number
        if number >= MAX_RECORDS:
            raise PeerError("the session has used up its %d records" % MAX_RECORDS)
        self._number = number + 1
        cipher = self.crypt(number, plain)
        return cipher + self._mac.digest(number.to_bytes(4, "big"), cipher)[:TAG_BYTES]

    def open(self, record: bytes) -> bytes:
        """The text of the next record; `PeerError` when it is not the one that the other end sealed."""
        number = self._number
        cipher = record[:-TAG_BYTES]
        tag = self._mac.digest(number.to_bytes(4, "big"), cipher)[:TAG_BYTES]
        if number >= MAX_RECORDS or not equal(record[-TAG_BYTES:], tag):
            raise PeerError("record %d is not authentic" % number)
        self._number = number + 1
        return self.crypt(number, cipher)
