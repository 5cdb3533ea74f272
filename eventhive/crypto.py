"""Signing and encryption as EventHive 0.5.0 does them, under the names of its module `eventhive.crypto`.

A connector of 0.5.0 signs and encrypts with `create_aes_key(secret)`. No function here changes what it is given.
"""

import base64 as b64
import hmac
import json
import os
from typing import Any

from .core.aes_host import CounterMode
from .seals.canonical import canonical
from .seals.classic import IV_BYTES, create_aes_key

__all__ = ["create_aes_key", "create_aes_obj", "decrypt", "encrypt", "sign", "verify"]


class _Aes:
    def __init__(self, key: bytes):
        self._mode = CounterMode(key)

    def encrypt_ctr(self, plaintext: bytes, iv: bytes) -> bytes:
        return self._mode.crypt(iv, plaintext)

    decrypt_ctr = encrypt_ctr


def create_aes_obj(secret: bytes) -> dict[str, Any]:
    """{"obj": a cipher for `encrypt` and `decrypt`, "key": the key of the secret}."""
    key = create_aes_key(secret)
    return {"obj": _Aes(key), "key": key}


def sign(secret: bytes, message: Any, algo: str = "sha1") -> str:
    """The HMAC of the canonical JSON text of a message, in hexadecimal; the secret is its key as it is."""
    return hmac.new(secret, canonical(message), algo).hexdigest()


def verify(secret: bytes, message: Any, signature: str, algo: str = "sha1") -> bool:
    """True when `signature` is what `sign` gives; 0.5.0 ignores `algo` here."""
    return hmac.compare_digest(sign(secret, message, algo), signature)


def encrypt(
    secret: bytes | None, message: Any, iv: bytes | None = None, base64: bool = True, aes_obj: Any = None
) -> Any:
    """The dict of "iv" and "ciphertext", in base64 or as bytes, of the canonical JSON text of a message.

    Without a secret, the message itself. The key is that of `aes_obj["obj"]` or `aes_obj`, else the secret's.
    """
    if secret is None:
        return message
    iv = os.urandom(IV_BYTES) if iv is None else iv
    ciphertext = _cipher(secret, aes_obj).encrypt_ctr(canonical(message), iv)
    if base64:
        return {"iv": b64.b64encode(iv).decode(), "ciphertext": b64.b64encode(ciphertext).decode()}
    return {"iv": iv, "ciphertext": ciphertext}


def decrypt(secret: bytes | None, ciphertext_dict: Any, base64: bool = True, aes_obj: Any = None) -> Any:
    """The message of what `encrypt` made; without a secret, and for other dicts, what was given.

    Raises `ValueError` when that gives no JSON text: the secret is another one. It checks no signature.
    """
    if secret is None or "iv" not in ciphertext_dict or "ciphertext" not in ciphertext_dict:
        return ciphertext_dict
    iv, ciphertext = ciphertext_dict["iv"], ciphertext_dict["ciphertext"]
    if base64:
        iv, ciphertext = b64.b64decode(iv), b64.b64decode(ciphertext)
    return json.loads(_cipher(secret, aes_obj).decrypt_ctr(ciphertext, iv).decode())


def _cipher(secret: bytes, aes_obj: Any) -> Any:
    if aes_obj is None:
        return _Aes(create_aes_key(secret))
    return aes_obj["obj"] if isinstance(aes_obj, dict) else aes_obj
