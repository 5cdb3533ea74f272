"""`seal: strict`: each event once, under its name, within its time."""

import base64
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventhive.classic import MAX_DATA_BYTES, Payload
from eventhive.core.errors import LimitError, PeerError
from eventhive.seals import base, strict
from eventhive.seals.replays import WINDOW, Window
from eventhive.seals.strict import FRESH_MS, MAX_SENDERS, StrictSeal, root_key

SECRET = "m1s3cr3t"
TOPIC = "net/worker/action"
NOW = 1_800_000_000_000


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = NOW

    def __call__(self) -> int:
        return self.ms


Make = Callable[..., StrictSeal]


@pytest.fixture(autouse=True)
def slow_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute each root key once: what scrypt gives is shown by the vectors."""
    keys: dict[tuple[str, str], bytes] = {}

    def once(secret: str, network: str) -> bytes:
        if (secret, network) not in keys:
            keys[secret, network] = root_key(secret, network)
        return keys[secret, network]

    monkeypatch.setattr(strict, "root_key", once)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def seal(time: Time) -> Make:
    def make(secret: str = SECRET, network: str = "net", random: Callable[[int], bytes] = os.urandom) -> StrictSeal:
        return StrictSeal(secret, network, random, time)

    return make


def why(one: StrictSeal, text: str, topic: str = TOPIC) -> str:
    with pytest.raises(PeerError) as caught:
        one.open(topic, text)
    return str(caught.value)


def changed(text: str, at: int, bit: int = 1) -> str:
    record = bytearray(base64.b64decode(json.loads(text)[base.STRICT_MEMBER]))
    record[at] ^= bit
    return json.dumps({base.STRICT_MEMBER: base64.b64encode(record).decode()})


def test_any_json_travels(seal: Make) -> None:
    one, two = seal(), seal()
    for data in ({"a": 1}, [1, [2.5]], "text \u00e9 \U0001f41d", 5, None, True, {}, "x" * 100_000):
        assert two.open(TOPIC, one.seal(TOPIC, json.dumps(data))) == data
        assert two.open(TOPIC, one.seal(TOPIC, json.dumps(data, ensure_ascii=False))) == data


def test_any_text_travels_under_any_name() -> None:
    one, two = (StrictSeal(SECRET, "net", os.urandom, lambda: NOW) for _ in range(2))

    @given(st.text(), st.text(st.characters(codec="utf-8")))
    def travels(data: str, topic: str) -> None:
        assert two.open(topic, one.seal(topic, json.dumps(data))) == data

    travels()


def test_each_event_once_and_in_any_order(seal: Make) -> None:
    one, two = seal(), seal()
    texts = [one.seal(TOPIC, str(number)) for number in range(10)]
    for number in (3, 0, 9, 5, 1, 2, 8, 4, 7, 6):
        assert two.open(TOPIC, texts[number]) == number
        assert why(two, texts[number]) == base.REPLAYED
    assert {why(two, text) for text in texts} == {base.REPLAYED}


def test_an_event_that_comes_too_late_is_taken_for_a_replay(seal: Make) -> None:
    one, two = seal(), seal()
    texts = [one.seal(TOPIC, "0") for _ in range(WINDOW + 1)]
    two.open(TOPIC, texts[-1])
    assert why(two, texts[0]) == base.REPLAYED
    assert two.open(TOPIC, texts[1]) == 0


@given(st.lists(st.integers(min_value=1, max_value=WINDOW * 4)))
def test_the_window_against_a_plain_set(numbers: list[int]) -> None:
    window, seen = Window(), set()
    for number in numbers:
        highest = max(seen, default=0)
        assert window.take(number) == (number not in seen and number > highest - WINDOW)
        seen.add(number)
    assert window._seen < 1 << WINDOW


def test_senders_and_receivers_that_restart(seal: Make) -> None:
    receiver = seal()
    texts = [seal().seal(TOPIC, str(number)) for number in range(5)]
    assert [receiver.open(TOPIC, text) for text in texts] == list(range(5))
    assert {why(receiver, text) for text in texts} == {base.REPLAYED}
    # The stated limit: a receiver that has started anew takes what is fresh.
    assert seal().open(TOPIC, texts[0]) == 0


def test_the_name_is_bound(seal: Make) -> None:
    text = seal().seal(TOPIC, "1")
    for name in ("net/worker/other", "net/worker/actio", "net/worker/actionx", ""):
        assert why(seal(), text, name) == base.NOT_AUTHENTIC


def test_the_network_and_the_secret_are_bound(seal: Make) -> None:
    text = seal().seal(TOPIC, "1")
    assert why(seal(network="net2"), text) == base.NOT_AUTHENTIC
    assert why(seal(secret="other"), text) == base.NOT_AUTHENTIC


def test_every_bit_is_authenticated(seal: Make) -> None:
    receiver, text = seal(), seal().seal(TOPIC, '{"on": true}')
    size = len(base64.b64decode(json.loads(text)[base.STRICT_MEMBER]))
    assert why(receiver, changed(text, 0)) == base.OTHER_VERSION
    assert {why(receiver, changed(text, at, bit)) for at in range(1, size) for bit in (1, 128)} == {base.NOT_AUTHENTIC}
    assert receiver.open(TOPIC, text) == {"on": True}


@pytest.mark.parametrize("skew_ms", [-FRESH_MS, FRESH_MS])
def test_clocks_may_be_apart_and_no_farther(seal: Make, time: Time, skew_ms: int) -> None:
    receiver = seal()
    time.ms = NOW + skew_ms
    sender = seal()
    good = sender.seal(TOPIC, "1")
    time.ms += 1 if skew_ms > 0 else -1
    bad = sender.seal(TOPIC, "2")
    time.ms = NOW
    assert why(receiver, bad) == base.STALE
    assert receiver.open(TOPIC, good) == 1


def test_nothing_passes_twice_however_late(seal: Make, time: Time) -> None:
    sender, receiver = seal(), seal()
    text = sender.seal(TOPIC, "1")
    assert receiver.open(TOPIC, text) == 1
    reasons = []
    for _ in range(5):
        time.ms += FRESH_MS // 2
        reasons.append(why(receiver, text))
        # Others come and go, so that what is old is forgotten.
        receiver.open(TOPIC, seal().seal(TOPIC, "2"))
    assert reasons == [base.REPLAYED, base.REPLAYED, base.STALE, base.STALE, base.STALE]


def test_a_sender_from_the_future_is_remembered_until_its_events_are_old(seal: Make, time: Time) -> None:
    receiver = seal()
    time.ms = NOW + FRESH_MS
    text = seal().seal(TOPIC, "1")
    time.ms = NOW
    assert receiver.open(TOPIC, text) == 1
    for ms in (NOW + FRESH_MS, NOW + 2 * FRESH_MS):
        time.ms = ms
        receiver.open(TOPIC, seal().seal(TOPIC, "2"))
        assert why(receiver, text) == base.REPLAYED


def test_memory_of_senders_is_bounded(seal: Make, time: Time) -> None:
    receiver = seal()
    texts = [seal().seal(TOPIC, "1") for _ in range(MAX_SENDERS + 1)]
    for text in texts[:-1]:
        receiver.open(TOPIC, text)
    assert why(receiver, texts[-1]) == base.TOO_MANY
    assert why(receiver, texts[0]) == base.REPLAYED
    time.ms += FRESH_MS + 1
    assert receiver.open(TOPIC, seal().seal(TOPIC, "2")) == 2
    assert len(receiver._senders) == 1


def test_what_others_send_costs_no_memory(seal: Make) -> None:
    receiver = seal()
    for _ in range(100):
        assert why(receiver, seal(secret="other").seal(TOPIC, "1")) == base.NOT_AUTHENTIC
    assert receiver._senders == {}


def test_the_same_text_is_another_one_each_time(seal: Make) -> None:
    one = seal()
    records = [base64.b64decode(json.loads(one.seal(TOPIC, "[1, 2, 3]"))[base.STRICT_MEMBER]) for _ in range(50)]
    assert len({record[33:-16] for record in records}) == 50


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no json", base.NOT_SEALED),
        ("[" * 100_000, base.NOT_SEALED),
        ('{"a": 1}', base.NOT_SEALED),
        ('{"eventhive-sealed": 5}', base.NOT_SEALED),
        ('{"eventhive-sealed": "A"}', base.NOT_SEALED),
        ('{"eventhive-sealed": "\\u00e9"}', base.NOT_SEALED),
        ('{"eventhive-sealed": "%s"}' % base64.b64encode(bytes(48)).decode(), base.NOT_SEALED),
        ('{"eventhive-sealed": "%s"}' % base64.b64encode(bytes(49)).decode(), base.OTHER_VERSION),
        ('{"eventhive-sealed": "%s"}' % base64.b64encode(b"\1" + bytes(48)).decode(), base.NOT_AUTHENTIC),
        ('{"iv": "AAAA", "ciphertext": "AAAA"}', base.OTHER_SEAL),
    ],
)
def test_what_does_not_pass(seal: Make, text: str, reason: str) -> None:
    assert why(seal(), text) == reason


def test_authentic_and_not_json(seal: Make) -> None:
    assert why(seal(), seal().seal(TOPIC, "{")) == base.NOT_JSON


@pytest.mark.parametrize("character", ["x", "\u00e9"])
def test_what_the_check_lets_pass_fits(seal: Make, character: str) -> None:
    one: Any = seal()
    low, high = 1, MAX_DATA_BYTES
    while high - low > 1:
        middle = (low + high) // 2
        try:
            one.check(json.dumps(character * middle, ensure_ascii=False))
            low = middle
        except LimitError:
            high = middle
    Payload(text=one.seal(TOPIC, json.dumps(character * low, ensure_ascii=False))).check()
    with pytest.raises(LimitError):
        Payload(text=one.seal(TOPIC, json.dumps(character * (low + 8), ensure_ascii=False))).check()
