"""Events of a network with a `secret` and `seal: strict`: `seals/strict.py`.

The first byte of the input says what follows: a text as it travels, a record in its envelope, or a text that is sealed,
must come out as it was, and in no other place or form.
"""

from binascii import b2a_base64

from cutting import DEEP
from oracle import bounded, require

from eventhive.classic import dumps, loads
from eventhive.core.errors import PeerError
from eventhive.seals import base
from eventhive.seals import strict as module

PORTABLE = False
STREAM = False
LONGEST = 300
SHARE = 40
ERRORS = (PeerError,)

TOPIC = "my-hive/worker/action"
TIME_MS = 1_767_225_600_000

# The scrypt of a secret takes as long as a thousand inputs, and is no parser.
_ROOT = module.root_key("a secret", "my-hive")
REASONS = {value for name, value in vars(base).items() if name.isupper() and isinstance(value, str)}


def seal():
    made, module.root_key = module.root_key, lambda secret, network: _ROOT
    try:
        return module.StrictSeal("a secret", "my-hive", lambda size: bytes(size), lambda: TIME_MS)
    finally:
        module.root_key = made


def feed(pieces, seen):
    (data,) = pieces
    way, text = data[:1], data[1:]
    one = seal()
    if way == b"\x01":
        _refused(one, envelope(text))
    elif way == b"\x02":
        _sealed(one, text.decode(errors="replace"), seen)
    else:
        _refused(one, text.decode(errors="replace"))
    bounded(one, 4 * LONGEST)


def envelope(record):
    return '{"%s": "%s"}' % (base.STRICT_MEMBER, b2a_base64(record, newline=False).decode())


def _refused(one, text):
    try:
        opened = one.open(TOPIC, text)
    except PeerError as error:
        require(str(error) in REASONS, f"it repeats what a peer said: {error}")
        raise
    # Another spelling of the same JSON and base64 is the same record: it passes once.
    require(opened == KNOWN, f"{opened!r} passes, which was not sealed: {text}")


def _sealed(one, text, seen):
    sealed = one.seal(TOPIC, text)
    try:
        given = loads(text)
    except PeerError:
        given = None
    for topic, allowed in ((TOPIC + "s", False), (TOPIC, True), (TOPIC, False)):
        try:
            opened = one.open(topic, sealed)
        except PeerError:
            require(not allowed or given is None, f"its own record is refused: {text!r}")
        else:
            require(allowed and repr(opened) == repr(given), f"{given!r} becomes {opened!r}")
            seen.append(repr(opened))


# What is sealed in the corpus.
KNOWN = {"param1": 1}


def seeds():
    return {
        "sealed": b"\x00" + seal().seal(TOPIC, dumps(KNOWN)).encode(),
        "classic": b'\x00{"iv": "AAAA", "ciphertext": "AAAA"}',
        "deep": b"\x00" + DEEP,
        "deep-inside": b"\x02" + DEEP,
        "plain": b'\x00{"param1": 1}',
        "record": b"\x01\x01" + bytes(60),
        "newer": b"\x01\x02" + bytes(60),
        "text": b'\x02{"param1": [1, "\xc3\xa9", null]}',
        "no-json": b"\x02param1",
    }
