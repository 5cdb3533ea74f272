"""Both seals against vectors: those of EventHive 0.5.0, and those that tests/vectors/generate.py computes."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from eventhive import crypto
from eventhive.seals.canonical import canonical, with_sign, without_sign
from eventhive.seals.classic import ClassicSeal
from eventhive.seals.strict import StrictSeal, root_key

VECTORS = Path(__file__).parents[1] / "vectors"
CLASSIC: list[dict[str, Any]] = [
    vector
    for name in ("classic-0.5.0.json", "classic-0.5.0-nan.json")
    for vector in json.loads((VECTORS / name).read_text(encoding="utf-8"))
]
STRICT = json.loads((VECTORS / "strict.json").read_text(encoding="utf-8"))
TOPIC = "my-hive/worker/action"


def same(left: Any, right: Any) -> bool:
    """Equal, NaN included."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def topic_of(vector: dict[str, Any]) -> str:
    return str(vector["message"].get("__eventhive__", {}).get("event", TOPIC))


@pytest.fixture(params=CLASSIC, ids=lambda vector: vector["secret"])
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def test_the_seal_writes_what_the_original_writes(vector: dict[str, Any]) -> None:
    iv = crypto.b64.b64decode(vector["iv_b64"])
    seal = ClassicSeal(vector["secret"], "__eventhive__", lambda count: iv)
    assert seal.seal(topic_of(vector), json.dumps(vector["message"])) == vector["wire"]


def test_the_seal_reads_what_the_original_writes(vector: dict[str, Any]) -> None:
    seal = ClassicSeal(vector["secret"], "__eventhive__", bytes)
    assert same(seal.open(topic_of(vector), vector["wire"]), vector["message"])


def test_every_step(vector: dict[str, Any]) -> None:
    message, unsigned = vector["message"], vector["to_sign"].encode()
    assert canonical(message) == unsigned
    assert with_sign(message, unsigned, vector["sign"]) == vector["signed_plaintext"].encode()
    assert (vector["sign"], unsigned) in list(without_sign(vector["signed_plaintext"].encode()))


def test_the_functions_of_the_module(vector: dict[str, Any]) -> None:
    secret, message = vector["secret"].encode(), vector["message"]
    key = crypto.create_aes_key(secret)
    assert key.hex() == vector["key_hex"]
    assert crypto.sign(key, message) == vector["sign"]
    assert crypto.verify(key, message, vector["sign"])
    assert not crypto.verify(key, message, "0" + vector["sign"][1:])
    signed = {**message, "__sign__": vector["sign"]}
    iv = crypto.b64.b64decode(vector["iv_b64"])
    assert crypto.encrypt(secret, signed, iv=iv) == vector["envelope"]
    assert crypto.encrypt(key, signed, iv, aes_obj=crypto.create_aes_obj(secret)["obj"]) == vector["envelope"]
    assert same(crypto.decrypt(secret, vector["envelope"]), signed)
    raw = crypto.encrypt(secret, signed, iv, base64=False)
    assert raw["iv"] == iv and same(crypto.decrypt(secret, raw, base64=False), signed)


def test_there_are_messages_with_numbers_that_are_none() -> None:
    assert any(math.isnan(vector["message"].get("nan", 0)) for vector in CLASSIC)


def test_the_root_of_strict_keys() -> None:
    assert root_key(STRICT["secret"], STRICT["network"]).hex() == STRICT["root"]


def test_strict_writes_the_vectors() -> None:
    senders: dict[str, StrictSeal] = {}
    now = [0]
    for event in STRICT["events"]:
        name = event["sender"]
        if name not in senders:
            random = bytes.fromhex(name)
            senders[name] = StrictSeal(STRICT["secret"], STRICT["network"], lambda n, r=random: r, lambda: now[0])
        now[0] = event["time_ms"]
        senders[name]._number = event["number"] - 1
        assert senders[name].seal(event["topic"], event["text"]) == event["sealed"]


def test_strict_reads_the_vectors() -> None:
    now = STRICT["events"][0]["time_ms"]
    seal = StrictSeal(STRICT["secret"], STRICT["network"], bytes, lambda: now)
    for event in STRICT["events"]:
        assert seal.open(event["topic"], event["sealed"]) == json.loads(event["text"])
