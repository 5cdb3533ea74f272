"""`secret` as 0.5.0 does it: what passes, what does not, and why."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventhive import crypto
from eventhive.classic import MAX_DATA_BYTES, Payload
from eventhive.core.errors import LimitError, LocalError, PeerError
from eventhive.seals import base
from eventhive.seals import classic as classic_seal
from eventhive.seals.canonical import MAX_SIGNS, canonical
from eventhive.seals.classic import ClassicSeal
from eventhive.seals.replays import MAX_MARKS, Seen

SECRET = "m1s3cr3t"
KEY = crypto.create_aes_key(SECRET.encode())
TOPIC = "net/worker/action"
META = "__eventhive__"


def seal(secret: str = SECRET) -> ClassicSeal:
    return ClassicSeal(secret, META, os.urandom)


def sealed(plain: str | bytes, secret: str = SECRET) -> str:
    """An envelope around any plaintext, as only who has the secret can make it."""
    data = plain.encode() if isinstance(plain, str) else plain
    iv = os.urandom(16)
    cipher = crypto.create_aes_obj(secret.encode())["obj"].encrypt_ctr(data, iv)
    return json.dumps({"iv": base64.b64encode(iv).decode(), "ciphertext": base64.b64encode(cipher).decode()})


def hmac_of(text: str | bytes) -> str:
    return hmac.new(KEY, text.encode() if isinstance(text, str) else text, hashlib.sha1).hexdigest()


def why(one: ClassicSeal, text: str, topic: str = TOPIC) -> str:
    with pytest.raises(PeerError) as caught:
        one.open(topic, text)
    return str(caught.value)


BRACKETS = ['"{', "[\\", "}"]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(BRACKETS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
messages = st.dictionaries(st.text(), values, max_size=5).filter(lambda message: "__sign__" not in message)


@given(values)
def test_the_canonical_text_is_that_of_the_original(value: Any) -> None:
    assert canonical(value) == json.dumps(value, indent=0, sort_keys=True, separators=(",", ":")).encode()


@given(messages, st.text(min_size=1), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_is_opened(message: dict[str, Any], secret: str, iv: bytes) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    text = ClassicSeal(secret, META, lambda count: iv).seal(TOPIC, json.dumps(message))
    assert seal(secret).open(TOPIC, text) == message


@given(messages, st.booleans())
def test_the_original_opens_what_is_sealed_and_the_reverse(message: dict[str, Any], spaced: bool) -> None:
    envelope = json.loads(seal().seal(TOPIC, json.dumps(message)))
    opened = crypto.decrypt(SECRET.encode(), envelope)
    sign = opened.pop("__sign__")
    assert opened == message and crypto.verify(KEY, opened, sign)
    text = json.dumps({**message, "__sign__": crypto.sign(KEY, message)}, indent=2 if spaced else None)
    assert seal().open(TOPIC, sealed(text)) == message


def test_the_received_bytes_count_where_the_sender_wrote_the_canonical_form() -> None:
    # Python would write 1e+20 and 0.1.
    unsigned = '{\n"a":1e20,\n"b":0.10\n}'
    assert canonical(json.loads(unsigned)) != unsigned.encode()
    sign = f'"__sign__":"{hmac_of(unsigned)}"'
    for text in (
        unsigned.replace('{\n"a"', f'{{\n{sign},\n"a"'),
        unsigned.replace(',\n"b"', f',\n{sign},\n"b"'),
        unsigned.replace("\n}", f",\n{sign}\n}}"),
    ):
        assert seal().open(TOPIC, sealed(text)) == {"a": 1e20, "b": 0.1}


def test_the_only_member() -> None:
    assert seal().open(TOPIC, sealed(f'{{\n"__sign__":"{hmac_of("{}")}"\n}}')) == {}


@pytest.mark.parametrize("inner", ['"__sign__":"', '\n"__sign__":"' + 40 * "0" + '",'])
def test_the_signature_may_stand_inside_strings_and_inner_dicts(inner: str) -> None:
    message = {
        "A": {"__sign__": "0" * 40, "b": [{"__sign__": "1" * 40}]},
        "text": inner,
        inner: {"__sign__": "2" * 40},
        "z": {"__sign__": "3" * 40, "zz": 1},
    }
    text = seal().seal(TOPIC, json.dumps(message))
    assert seal().open(TOPIC, text) == message
    assert crypto.decrypt(SECRET.encode(), json.loads(text))["text"] == inner


def test_more_inner_signatures_than_are_looked_at() -> None:
    message = {"A": [{"__sign__": "0" * 40}] * (MAX_SIGNS + 1)}
    assert seal().open(TOPIC, seal().seal(TOPIC, json.dumps(message))) == message


def test_a_signature_of_an_inner_dict_signs_that_and_nothing_more() -> None:
    inner = '{\n"a":1\n}'
    signed = f'{{\n"__sign__":"{hmac_of(inner)}",\n"a":1\n}}'
    assert why(seal(), sealed(f'{{\n"b":{signed}\n}}')) == base.NOT_SIGNED
    assert why(seal(), sealed(f'{{\n"__sign__":"{hmac_of(inner)}",\n"b":{signed}\n}}')) == base.NOT_AUTHENTIC


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no json", base.NOT_SEALED),
        ("[" * 100_000, base.NOT_SEALED),
        ('"text"', base.NOT_SEALED),
        ("{}", base.NOT_SEALED),
        ('{"a": 1}', base.NOT_SEALED),
        (json.dumps({"a": 1, "__sign__": crypto.sign(KEY, {"a": 1})}), base.NOT_SEALED),
        ('{"iv": 1, "ciphertext": "AAAA"}', base.NOT_SEALED),
        ('{"iv": "AAAA", "ciphertext": "AAAA"}', base.NOT_SEALED),
        ('{"iv": "\\u00e9", "ciphertext": "AAAA"}', base.NOT_SEALED),
        ('{"iv": "AAAAAAAAAAAAAAAAAAAAAA==", "ciphertext": "A"}', base.NOT_SEALED),
        ('{"eventhive-sealed": "AAAA"}', base.OTHER_SEAL),
        (sealed('{"a": 1}'), base.NOT_SIGNED),
        (sealed('{"a": 1, "__sign__": 5}'), base.NOT_SIGNED),
        (sealed('{"a": 1, "__sign__": "\\ud800"}'), base.NOT_AUTHENTIC),
        (sealed(json.dumps({"a": 2, "__sign__": crypto.sign(KEY, {"a": 1})})), base.NOT_AUTHENTIC),
        (sealed("[1]"), base.UNREADABLE),
        (sealed(""), base.UNREADABLE),
        (sealed("{" * 100_000), base.UNREADABLE),
        (sealed(b"\xff\xfe"), base.UNREADABLE),
        (ClassicSeal("another", META, os.urandom).seal(TOPIC, '{"a": 1}'), base.UNREADABLE),
    ],
    ids=range(20),
)
def test_what_does_not_pass(text: str, reason: str) -> None:
    assert why(seal(), text) == reason


@given(st.binary(max_size=200), st.text(max_size=50))
def test_anything_else_gives_an_error_of_ours(plain: bytes, text: str) -> None:
    for received in (sealed(plain), text, json.dumps({"iv": text, "ciphertext": text})):
        assert why(seal(), received)


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900])
@pytest.mark.parametrize("text", ["x", "["])
def test_deep_data_travels_or_is_an_error_of_ours(depth: int, text: str) -> None:
    deep = '{"a": ' + "[" * depth + f'"{text}"' + "]" * depth + "}"
    with contextlib.suppress(LocalError, PeerError):
        assert seal().open(TOPIC, seal().seal(TOPIC, deep)) == json.loads(deep)
    if depth > 700:
        forged = deep[:-1] + ', "__sign__": "0"}'
        assert why(seal(), sealed(forged)) in (base.UNREADABLE, base.NOT_AUTHENTIC)


def test_what_python_cannot_follow_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    with pytest.raises(LocalError, match="must not be nested so deep"):
        seal().seal(TOPIC, deep)

    def exhausted(message: Any) -> bytes:
        raise RecursionError

    # How deep is too deep for its encoder, and not for its decoder, is another matter in each version.
    monkeypatch.setattr(classic_seal, "canonical", exhausted)
    with pytest.raises(LocalError, match="must not be nested so deep"):
        seal().seal(TOPIC, "{}")
    assert why(seal(), sealed('{"a": 1, "__sign__": "0"}')) == base.UNREADABLE


def test_a_changed_bit_is_found() -> None:
    envelope = json.loads(seal().seal(TOPIC, '{"on": 1}'))
    cipher = bytearray(base64.b64decode(envelope["ciphertext"]))
    plain = b'{\n"__sign__":"' + 40 * b"0" + b'",\n"on":'
    cipher[len(plain)] ^= 1
    assert why(seal(), json.dumps({**envelope, "ciphertext": base64.b64encode(cipher).decode()})) == base.NOT_AUTHENTIC


def with_metadata(event: Any = TOPIC, name: Any = "id-1", **more: Any) -> str:
    return seal().seal(TOPIC, json.dumps({"a": 1, META: {"event": event, "id": name, **more}}))


def test_metadata_reaches_the_hook_and_is_checked() -> None:
    one = seal()
    assert one.open(TOPIC, with_metadata(time=1.5)) == {"a": 1, META: {"event": TOPIC, "id": "id-1", "time": 1.5}}
    assert why(one, with_metadata(name="id-2"), "net/worker/other") == base.OTHER_NAME
    assert one.open(TOPIC, with_metadata(name="id-2"))
    assert why(one, with_metadata()) == base.REPLAYED
    assert seal().open(TOPIC, with_metadata())


def test_clocks_of_members_need_not_agree() -> None:
    assert seal().open(TOPIC, with_metadata(time=0))


@pytest.mark.parametrize("metadata", [None, 5, [], {}, {"id": 7}, {"id": ""}, {"id": "x" * 65}])
def test_without_an_id_the_same_envelope_is_a_replay_and_the_same_data_is_not(metadata: Any) -> None:
    one = seal()
    text = json.dumps({"a": 1, META: metadata})
    first, second = one.seal(TOPIC, text), one.seal(TOPIC, text)
    assert one.open(TOPIC, first) == one.open(TOPIC, second) == json.loads(text)
    assert why(one, first) == why(one, second) == base.REPLAYED


def test_an_unauthentic_event_does_not_block_the_authentic_one() -> None:
    one = seal()
    first = one.seal(TOPIC, '{"a": 1}')
    envelope = json.loads(first)
    envelope["ciphertext"] = base64.b64encode(bytes(90)).decode()
    assert why(one, json.dumps(envelope)) == base.UNREADABLE
    assert one.open(TOPIC, first) == {"a": 1}


def test_signature_and_metadata_of_a_received_event_are_not_passed_on() -> None:
    received = {"a": 1, "__sign__": "0" * 40, META: {"event": "net/other/name", "id": "1"}}
    one = seal()
    assert one.open(TOPIC, one.seal(TOPIC, json.dumps(received))) == {"a": 1}


def test_what_is_no_dict_cannot_be_signed() -> None:
    for text in ("[1]", '"text"', "5", "null"):
        for refuse in (seal().check, lambda text: seal().seal(TOPIC, text)):
            with pytest.raises(LocalError, match="must be a dict, which 'seal: strict' does not ask for"):
                refuse(text)


@pytest.mark.parametrize("unit", ["x", "[],", "{}", '"\\u00e9"'])
def test_what_the_check_lets_pass_fits(unit: str) -> None:
    low, high = 1, MAX_DATA_BYTES
    while high - low > 1:
        middle = (low + high) // 2
        try:
            seal().check(json.dumps({"a": unit * middle}))
            low = middle
        except LimitError as error:
            assert "once sealed" in str(error)
            high = middle
    assert low > 10_000
    Payload(text=seal().seal(TOPIC, json.dumps({"a": unit * low}))).check()


def test_deep_data_that_the_check_lets_pass_fits() -> None:
    text = json.dumps({"a": [[[[]] * 9]] * 9_000})
    seal().check(text)
    Payload(text=seal().seal(TOPIC, text)).check()


def test_memory_of_replays_is_bounded() -> None:
    seen = Seen(3)
    assert [seen.add(number) for number in (1, 2, 3, 1, 2, 3)] == [True] * 3 + [False] * 3
    for number in range(4, 7):
        assert seen.add(number)
        assert not seen.add(number - 2)
    assert seen.add(7)
    assert seen.add(1)
    assert len(seen._young) + len(seen._old) <= 6
    assert Seen()._size == MAX_MARKS
