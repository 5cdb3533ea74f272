"""`secret` as EventHive 0.5.0 does it: signed with HMAC-SHA1, then encrypted with AES-128 in counter mode.

    key = SHA256(secret)[:16], for both;  sign = hex of HMAC-SHA1(key, canonical(message)), the member "__sign__"
    {"iv": base64, "ciphertext": base64} of canonical(message with its sign), the IV being the first counter block

What it does not protect from is in docs/secret.md.
"""

import hashlib
import hmac
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any

from ..classic import loads
from ..core.aes_host import CounterMode
from ..core.errors import LocalError, PeerError
from . import base
from .canonical import SIGN, canonical, with_sign, without_sign
from .replays import Seen

IV_BYTES = 16
# Ids are 36 characters long; what is longer is not worth remembering, the IV is as good.
MAX_ID_CHARS = 64

# Beside the base64: the members of the envelope, its quotes escaped, and the signature.
_ENVELOPE_BYTES = 62
_SIGN_BYTES = 60


def create_aes_key(secret: bytes) -> bytes:
    """The key of a secret, for signatures and for the cipher alike."""
    return hashlib.sha256(secret).digest()[:16]


class ClassicSeal:
    """The seal of one network. `metadata_key` is where received dicts carry metadata; `random(n)` gives n bytes."""

    ages = False

    def __init__(self, secret: str, metadata_key: str, random: Callable[[int], bytes]):
        key = create_aes_key(secret.encode())
        self._mac = hmac.new(key, digestmod="sha1")
        self._crypt = CounterMode(key).crypt
        self._metadata_key = metadata_key
        self._random = random
        self._seen = Seen()

    def check(self, text: str) -> None:
        """See `Seal`."""
        self._check_kind(text)
        if len(text) <= base.SURELY_SHORT:
            return
        # Each bracket of the canonical text may have a newline beside it.
        plain = len(text) + 2 * (text.count("{") + text.count("[")) + _SIGN_BYTES
        base.check_length((plain + 2) // 3 * 4 + _ENVELOPE_BYTES)

    def seal(self, topic: str, text: str) -> str:
        """See `Seal`. The data is read once more, so that what is signed is what the receiver will read."""
        self._check_kind(text)
        try:
            signed = self._signed(topic, loads(text))
        except (PeerError, RecursionError):
            raise LocalError("with a 'secret', data must not be nested so deep") from None
        iv = self._random(IV_BYTES)
        ciphertext = self._crypt(iv, signed)
        return f'{{"iv": "{_base64(iv)}", "ciphertext": "{_base64(ciphertext)}"}}'

    def open(self, topic: str, text: str) -> Any:
        """See `Seal`."""
        iv, ciphertext = self._envelope(text)
        message = self._verified(self._crypt(iv, ciphertext))
        mark: str | bytes = iv
        metadata = message.get(self._metadata_key)
        if type(metadata) is dict:
            if metadata.get("event", topic) != topic:
                raise PeerError(base.OTHER_NAME)
            name = metadata.get("id")
            if isinstance(name, str) and 0 < len(name) <= MAX_ID_CHARS:
                mark = name
        if not self._seen.add(mark):
            raise PeerError(base.REPLAYED)
        return message

    def _check_kind(self, text: str) -> None:
        if text[:1] != "{":
            raise LocalError("with a 'secret', data must be a dict, which 'seal: strict' does not ask for")

    def _signed(self, topic: str, message: dict[str, Any]) -> bytes:
        message.pop(SIGN, None)
        metadata = message.get(self._metadata_key)
        if type(metadata) is dict and metadata.get("event", topic) != topic:
            # Received with an event that is being passed on under another name: it would be taken for a forgery.
            del message[self._metadata_key]
        unsigned = canonical(message)
        return with_sign(message, unsigned, self._sign(unsigned))

    def _sign(self, text: bytes) -> str:
        mac = self._mac.copy()
        mac.update(text)
        return mac.hexdigest()

    def _envelope(self, text: str) -> tuple[bytes, bytes]:
        try:
            envelope = json.loads(text)
        except (ValueError, RecursionError):
            raise PeerError(base.NOT_SEALED) from None
        if base.is_strict(envelope):
            raise PeerError(base.OTHER_SEAL)
        if not base.is_classic(envelope):
            raise PeerError(base.NOT_SEALED)
        try:
            iv, ciphertext = a2b_base64(envelope["iv"]), a2b_base64(envelope["ciphertext"])
        except ValueError:
            raise PeerError(base.NOT_SEALED) from None
        if len(iv) != IV_BYTES:
            raise PeerError(base.NOT_SEALED)
        return iv, ciphertext

    def _verified(self, plain: bytes) -> dict[str, Any]:
        """The message, by the bytes that were signed; else by its value rendered anew, as 0.5.0 does."""
        for sign, unsigned in without_sign(plain):
            if hmac.compare_digest(self._sign(unsigned), sign):
                return _message(unsigned)
        message = _message(plain)
        sign = message.pop(SIGN, None)
        if not isinstance(sign, str):
            raise PeerError(base.NOT_SIGNED)
        try:
            expected = self._sign(canonical(message))
        except (ValueError, RecursionError):
            raise PeerError(base.UNREADABLE) from None
        if not hmac.compare_digest(expected.encode(), sign.encode("utf-8", "replace")):
            raise PeerError(base.NOT_AUTHENTIC)
        return message


def _message(text: bytes) -> dict[str, Any]:
    try:
        message = loads(text.decode())
    except (UnicodeDecodeError, PeerError):
        raise PeerError(base.UNREADABLE) from None
    if type(message) is not dict:
        raise PeerError(base.UNREADABLE)
    return message


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()
