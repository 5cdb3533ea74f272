"""Events of a network with a `secret`, as 0.5.0 seals them: `seals/classic.py`.

The first byte of the input says what follows: a text as it travels, a text that is encrypted under the secret (and may
have a signature, which it cannot know), or a dict that is signed and encrypted, and must come out as it was.
"""

import json

from cutting import DEEP
from oracle import bounded, require

from eventhive.core.errors import LocalError, PeerError
from eventhive.seals import base
from eventhive.seals.classic import ClassicSeal

PORTABLE = False
STREAM = False
LONGEST = 400
SHARE = 80
ERRORS = (PeerError,)

TOPIC = "my-hive/worker/action"
_IV = bytes(range(16))


def seal():
    return ClassicSeal("a secret", "__eventhive__", lambda size: _IV[:size])


def feed(pieces, seen):
    (data,) = pieces
    way, text = data[:1], data[1:]
    one = seal()
    if way == b"\x01":
        ciphertext = one._crypt(_IV, text)
        text = one_envelope(_IV, ciphertext)
        _refused(one, text)
    elif way == b"\x02":
        _sealed(one, text.decode(errors="replace"), seen)
    else:
        _refused(one, text.decode(errors="replace"))
    bounded(one, 4 * LONGEST)


def _refused(one, text):
    """Whoever does not know the secret gets nothing through."""
    try:
        opened = one.open(TOPIC, text)
    except PeerError as error:
        require(str(error) in REASONS, f"it repeats what a peer said: {error}")
        raise
    # Another spelling of the same JSON and base64 is the same event: it passes once.
    require(opened == KNOWN, f"{opened!r} passes without a signature: {text}")


def _sealed(one, text, seen):
    try:
        one.check(text)
        sealed = one.seal(TOPIC, text)
    except LocalError:
        return
    opened = one.open(TOPIC, sealed)
    given = json.loads(text)
    given.pop("__sign__", None)
    if isinstance(given.get("__eventhive__"), dict) and "event" in given["__eventhive__"]:
        given.pop("__eventhive__", None), opened.pop("__eventhive__", None)
    require(_written(opened) == _written(given), f"{given!r} becomes {opened!r}")
    seen.append(sorted(opened))
    try:
        one.open(TOPIC, sealed)
    except PeerError:
        return
    require(False, f"{sealed} passes twice")


def _written(value):
    """Its keys come in another order, and NaN is equal to nothing."""
    return json.dumps(value, sort_keys=True)


def one_envelope(iv, ciphertext):
    import base64

    return json.dumps({"iv": base64.b64encode(iv).decode(), "ciphertext": base64.b64encode(ciphertext).decode()})


REASONS = {value for name, value in vars(base).items() if name.isupper() and isinstance(value, str)}

# What is sealed in the corpus.
KNOWN = {"param1": 1}


def seeds():
    metadata = {"time": 1.5, "version": "1", "event": TOPIC, "id": "8f6f4d0e-0000-4000-8000-000000000000"}
    return {
        "sealed": b"\x00" + seal().seal(TOPIC, json.dumps(KNOWN)).encode(),
        "strict": b'\x00{"eventhive-sealed": "AQ=="}',
        "deep": b"\x00" + DEEP,
        "deep-inside": b"\x01" + DEEP,
        "plain": b'\x00{"param1": 1}',
        "unsigned": b'\x01{\n"param1":1\n}',
        "wrong-sign": b'\x01{\n"__sign__":"0123456789012345678901234567890123456789",\n"param1":1\n}',
        "signed": b'\x02{"param1": [1, {"b": "}\\u00e9{", "a": [[], {}]}], "x": 1.0}',
        "signed-metadata": b"\x02" + json.dumps({"a": 1, "__eventhive__": metadata}).encode(),
    }
