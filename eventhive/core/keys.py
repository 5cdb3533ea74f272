"""The keys of a session, from the key of the device and from the whole clear exchange.

    link   = H(device key, "eventhive link 1")          other uses of a device key have other labels
    master = H(link, SHA256(challenge) || SHA256(hello))
    up     = H(master, "device to gateway")             first 16 bytes AES key, last 16 bytes MAC key
    down   = H(master, "gateway to device")

H is HMAC-SHA256. A board loads this for a hand-shake only.
"""

from hashlib import sha256

from .mac import Mac

KEY_BYTES = 32


def link_mac(device_key: bytes) -> Mac:
    """The code under which everything of the device link is derived; the device key itself is used nowhere else."""
    return Mac(Mac(device_key).digest(b"eventhive link 1"))


def session_keys(link: Mac, challenge: bytes, hello: bytes) -> "tuple[bytes, bytes]":
    """The 32-byte keys (up, down) of the session that these two clear frames, byte for byte, have begun."""
    master = Mac(link.digest(sha256(challenge).digest(), sha256(hello).digest()))
    return master.digest(b"device to gateway"), master.digest(b"gateway to device")
