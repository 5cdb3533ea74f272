"""`seal: strict`: encrypt-then-MAC, bound to the network, the name and the time, each event taken once.

    root    = scrypt(secret, salt = "eventhive strict 1" || 0 || network, N = 2**15, r = 8, p = 1), 32 bytes
    mac     = H(root, "authenticate")
    cipher  = H(root, "encrypt" || sender)[:16]               one AES-128 key for each start of each sender
    head    = 1 || sender (16 random bytes) || u64(number) || u64(time in ms)
    record  = head || ciphertext || H(mac, head || u32(length of name) || name || ciphertext)[:16]
    travels as {"eventhive-sealed": base64(record)}

H is HMAC-SHA256; the ciphertext is AES-128 in counter mode from the block u96(number) || u32(0); the number begins at 1
and counts the records of a start. docs/secret.md has the reasons and the limits.
"""

import hashlib
import json
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any

from ..classic import loads
from ..core.aes import Ctr
from ..core.errors import PeerError
from ..core.mac import Mac, equal
from . import base
from .replays import Window

VERSION = b"\1"
LABEL = b"eventhive strict 1\0"
SENDER_BYTES = 16
TAG_BYTES = 16

_NUMBER = 1 + SENDER_BYTES
_TIME = _NUMBER + 8
_HEAD = _TIME + 8
_SHORTEST = _HEAD + TAG_BYTES

# The strength of RFC 7914 for interactive use, doubled: 32 MB and about 0.05 s on a desktop, 0.3 s on a Raspberry Pi,
# once for each network of a process.
SCRYPT_N = 1 << 15
SCRYPT_R = 8
SCRYPT_P = 1
_SCRYPT_MEMORY = 2 * 128 * SCRYPT_N * SCRYPT_R

# How old a record may be, and how far clocks may be apart: what Kerberos (RFC 4120, 5.4.1) allows too. What was sent
# within it is remembered, so that nothing older can come again.
FRESH_MS = 300_000
# Starts of senders that are heard within that time; each costs some kilobytes. Only who has the secret can use them up.
MAX_SENDERS = 1024

# Beside the base64: the member and its quotes, escaped.
_ENVELOPE_BYTES = 30


def clock_ms() -> int:
    """The time of this machine."""
    return time.time_ns() // 1_000_000


def root_key(secret: str, network: str) -> bytes:
    """The key that all others of a network are made of; slow on purpose, because a secret may be a pass phrase."""
    return hashlib.scrypt(
        secret.encode(),
        salt=LABEL + network.encode(),
        n=SCRYPT_N,
        r=SCRYPT_R,
        p=SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=32,
    )


class _Sender:
    """What is known of one start of a sender."""

    __slots__ = ("cipher", "latest_ms", "window")

    def __init__(self, key: bytes):
        self.cipher = Ctr(key)
        self.window = Window()
        self.latest_ms = 0


class StrictSeal:
    """The seal of one network. `random(n)` gives n bytes; `clock_ms()` is the time of day, which may jump."""

    ages = True

    def __init__(self, secret: str, network: str, random: Callable[[int], bytes], clock_ms: Callable[[], int]):
        self._root = Mac(root_key(secret, network))
        self._tag = Mac(self._root.digest(b"authenticate")).digest
        self._clock_ms = clock_ms
        own = random(SENDER_BYTES)
        self._own_head = VERSION + own
        self._own_cipher = Ctr(self._cipher_key(own))
        self._number = 0
        self._senders: dict[bytes, _Sender] = {}

    def check(self, text: str) -> None:
        """See `Seal`."""
        if len(text) > base.SURELY_SHORT:
            size = len(text.encode()) + _SHORTEST
            base.check_length((size + 2) // 3 * 4 + _ENVELOPE_BYTES)

    def seal(self, topic: str, text: str) -> str:
        """See `Seal`."""
        self._number = number = self._number + 1
        head = self._own_head + number.to_bytes(8, "big") + self._clock_ms().to_bytes(8, "big")
        ciphertext = self._own_cipher.crypt(number, text.encode())
        tag = self._tag(_bound(head, topic), ciphertext)[:TAG_BYTES]
        record = b2a_base64(head + ciphertext + tag, newline=False).decode()
        return f'{{"{base.STRICT_MEMBER}": "{record}"}}'

    def open(self, topic: str, text: str) -> Any:
        """See `Seal`."""
        record = _record(text)
        head, ciphertext = record[:_HEAD], record[_HEAD:-TAG_BYTES]
        if not equal(record[-TAG_BYTES:], self._tag(_bound(head, topic), ciphertext)[:TAG_BYTES]):
            raise PeerError(base.NOT_AUTHENTIC)
        number = int.from_bytes(head[_NUMBER:_TIME], "big")
        sender = self._sender(head[1:_NUMBER], int.from_bytes(head[_TIME:], "big"))
        if not sender.window.take(number):
            raise PeerError(base.REPLAYED)
        try:
            return loads(sender.cipher.crypt(number, ciphertext).decode())
        except (UnicodeDecodeError, PeerError):
            raise PeerError(base.NOT_JSON) from None

    def _sender(self, name: bytes, time_ms: int) -> _Sender:
        now = self._clock_ms()
        if abs(now - time_ms) > FRESH_MS:
            raise PeerError(base.STALE)
        sender = self._senders.get(name)
        if sender is None:
            self._forget(now)
            if len(self._senders) >= MAX_SENDERS:
                raise PeerError(base.TOO_MANY)
            sender = self._senders[name] = _Sender(self._cipher_key(name))
        sender.latest_ms = max(sender.latest_ms, time_ms)
        return sender

    def _forget(self, now: int) -> None:
        """Drop the senders of whom everything that was received is too old to pass again."""
        for name in [name for name, sender in self._senders.items() if now - sender.latest_ms > FRESH_MS]:
            del self._senders[name]

    def _cipher_key(self, sender: bytes) -> bytes:
        return self._root.digest(b"encrypt", sender)[:16]


def _bound(head: bytes, topic: str) -> bytes:
    name = topic.encode("utf-8", "surrogatepass")
    return head + len(name).to_bytes(4, "big") + name


def _record(text: str) -> bytes:
    try:
        envelope = json.loads(text)
        if base.is_classic(envelope):
            raise PeerError(base.OTHER_SEAL)
        record = a2b_base64(envelope[base.STRICT_MEMBER]) if base.is_strict(envelope) else b""
    except (ValueError, RecursionError):
        record = b""
    if len(record) < _SHORTEST:
        raise PeerError(base.NOT_SEALED)
    if record[:1] != VERSION:
        raise PeerError(base.OTHER_VERSION)
    return record
