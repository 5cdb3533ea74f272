"""The keys of a session and its sealed records: encrypt-then-MAC over the bytes that travel.

    link   = H(device key, "eventhive link 1")          other uses of a device key have other labels
    master = H(link, SHA256(challenge) || SHA256(hello))
    up     = H(master, "device to gateway")             first 16 bytes AES key, last 16 bytes MAC key
    down   = H(master, "gateway to device")
    record = ciphertext || H(mac key, u32(n) || ciphertext)[:16],   counter block = 0^8 || u32(n) || u32(block)

H is HMAC-SHA256. The record number n starts at 0 for each direction and never travels: carriers lose nothing in order.
"""

from hashlib import sha256

from .aes import Ctr
from .errors import PeerError
from .mac import Mac, equal

KEY_BYTES = 32
TAG_BYTES = 16

# A session ends long before a 32-bit record number, or the 2**48-block birthday bound of AES, could matter.
MAX_RECORDS = 1 << 24


def link_mac(device_key: bytes) -> Mac:
    """The code under which everything of the device link is derived; the device key itself is used nowhere else."""
    return Mac(Mac(device_key).digest(b"eventhive link 1"))


def session_keys(link: Mac, challenge: bytes, hello: bytes) -> "tuple[bytes, bytes]":
    """The 32-byte keys (up, down) of the session that these two clear frames, byte for byte, have begun."""
    master = Mac(link.digest(sha256(challenge).digest(), sha256(hello).digest()))
    return master.digest(b"device to gateway"), master.digest(b"gateway to device")


class Sealed:
    """One direction of a sealed session: one end only seals with it, the other only opens."""

    overhead = TAG_BYTES

    def __init__(self, key: bytes):
        self._ctr = Ctr(key[:16])
        self._mac = Mac(key[16:])
        self._number = 0

    def seal(self, plain: bytes) -> bytes:
        """The next record of this direction."""
        number = self._next()
        cipher = self._ctr.crypt(number, plain)
        return cipher + self._mac.digest(number.to_bytes(4, "big"), cipher)[:TAG_BYTES]

    def open(self, record: bytes) -> bytes:
        """The text of the next record; `PeerError` when it is not the one that the other end sealed."""
        number = self._number
        cipher = record[:-TAG_BYTES]
        tag = record[-TAG_BYTES:]
        if not equal(tag, self._mac.digest(number.to_bytes(4, "big"), cipher)[:TAG_BYTES]):
            raise PeerError("record %d is not authentic" % number)
        return self._ctr.crypt(self._next(), cipher)

    def _next(self) -> int:
        number = self._number
        if number >= MAX_RECORDS:
            raise PeerError("the session has used up its %d records" % MAX_RECORDS)
        self._number = number + 1
        return number
