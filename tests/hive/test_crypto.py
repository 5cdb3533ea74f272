"""The module `eventhive.crypto` of 0.5.0; its vectors are in test_seal_vectors.py."""

import hashlib
import hmac
import inspect
import json

import pytest

from eventhive import crypto

KEY = crypto.create_aes_key(b"s")


def test_names_and_arguments_are_those_of_the_original() -> None:
    found = {name: tuple(inspect.signature(getattr(crypto, name)).parameters) for name in crypto.__all__}
    assert found == {
        "create_aes_key": ("secret",),
        "create_aes_obj": ("secret",),
        "decrypt": ("secret", "ciphertext_dict", "base64", "aes_obj"),
        "encrypt": ("secret", "message", "iv", "base64", "aes_obj"),
        "sign": ("secret", "message", "algo"),
        "verify": ("secret", "message", "signature", "algo"),
    }


def test_results_of_the_original() -> None:
    assert crypto.sign(b"s", {"a": 1}) == "cb94687ee33e3b15b7a5dfb9008d3209ff76db8e"
    obj = crypto.create_aes_obj(b"s")
    assert obj["key"] == KEY == hashlib.sha256(b"s").digest()[:16]
    assert crypto.encrypt(KEY, {"a": 1}, iv=bytes(16), aes_obj=obj["obj"]) == {
        "iv": "AAAAAAAAAAAAAAAAAAAAAA==",
        "ciphertext": "079BRIAcuCJz",
    }
    assert crypto.encrypt(KEY, {"a": 1}, bytes(16), False, obj)["ciphertext"] == b'\xd3\xbfAD\x80\x1c\xb8"s'


def test_without_a_secret_nothing_happens() -> None:
    message = {"a": 1}
    assert crypto.encrypt(None, message) is message and crypto.decrypt(None, message) is message
    assert crypto.decrypt(b"s", message) is message


def test_nothing_that_is_given_is_changed() -> None:
    message = {"b": [1], "a": {"c": 2}}
    envelope = crypto.encrypt(b"s", message)
    before = json.dumps([message, envelope])
    crypto.sign(b"s", message)
    assert crypto.decrypt(b"s", envelope) == message
    assert json.dumps([message, envelope]) == before
    assert crypto.encrypt(b"s", message)["iv"] != envelope["iv"]


def test_another_algorithm_is_signed_and_verified() -> None:
    signature = crypto.sign(b"s", {}, "sha256")
    assert signature == hmac.new(b"s", b"{}", "sha256").hexdigest()
    assert crypto.verify(b"s", {}, signature, "sha256") and not crypto.verify(b"s", {}, signature)


def test_what_cannot_be_used() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        crypto.encrypt(b"s", {}, iv=bytes(15))
    with pytest.raises(ValueError, match=r"codec|JSON|Expecting"):
        crypto.decrypt(b"another", crypto.encrypt(b"s", {"a": 1}, iv=bytes(16)))
    with pytest.raises(TypeError, match="JSON"):
        crypto.sign(b"s", {"a": object()})
