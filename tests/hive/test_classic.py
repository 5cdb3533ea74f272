"""Texts of the hive's wire: what is written, and that whatever is read gives a value or `PeerError`."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventhive import classic
from eventhive.classic import Answer, Call, Payload
from eventhive.core.errors import LimitError, PeerError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_data_travels_as_a_string_of_json(data: Any) -> None:
    payload = Payload(data)
    assert json.loads(payload.wire) == json.dumps(data)
    assert Payload(text=json.dumps(data)).data == data


@given(st.text(), JSON, st.text())
def test_calls_are_read_as_they_were_written(topic: str, data: Any, call_id: str) -> None:
    payload = Payload(data)
    text = json.dumps(data)
    call = classic.read(classic.publish(classic.publish_head(topic), payload, 7).decode())
    arguments = {"topics": [topic], "data": text, "sync": False, "notifier_id": None}
    assert call == Call("publish", arguments, "7")
    call = classic.read(classic.notify(classic.notify_head("1", "2", topic), payload, 8).decode())
    assert isinstance(call, Call)
    assert call.arguments["subscription"] == {"id": "1", "subscriber_id": "2", "topic": topic, "notifier_id": None}
    assert call.arguments["data"] == text
    assert classic.read(classic.subscribe([topic, "x"], call_id).decode()) == Call(
        "subscribe", {"topics": [topic, "x"]}, call_id
    )
    for result in (True, False, "pong"):
        assert classic.read(classic.answer(result, call_id).decode()) == Answer(result, call_id)
    assert classic.read(classic.done(call_id).decode()) == Answer("None", call_id)


def test_the_frames_of_the_original_to_the_letter() -> None:
    data = Payload({"param1": 1, "param2": 2})
    assert classic.publish(classic.publish_head("my-hive/worker/action"), data, 5).decode() == (
        '{"request": {"method": "publish", "arguments": {"topics": ["my-hive/worker/action"], "data": '
        '"{\\"param1\\": 1, \\"param2\\": 2}", "sync": false, "notifier_id": null}, "call_id": "5"}, "response": null}'
    )
    assert classic.notify(classic.notify_head("50da", "e6f9", "my-hive/worker/action"), data, 6).decode() == (
        '{"request": {"method": "notify", "arguments": {"subscription": {"id": "50da", "subscriber_id": "e6f9", '
        '"topic": "my-hive/worker/action", "notifier_id": null}, "data": "{\\"param1\\": 1, \\"param2\\": 2}"}, '
        '"call_id": "6"}, "response": null}'
    )
    true = '{"request": null, "response": {"result": true, "result_type": "bool", "call_id": "d51f"}}'
    assert classic.answer(True, "d51f").decode() == true
    assert classic.confirmed(true) == "d51f"
    assert classic.is_answer(true) and classic.is_answer('{"request":null,"response":{}}')
    assert classic.done("acec").decode() == (
        '{"request": null, "response": {"result": "None", "result_type": "str", "call_id": "acec"}}'
    )


def read_everything(text: str) -> None:
    try:
        message = classic.read(text)
        if isinstance(message, Call):
            classic.topics_of(message)
            classic.payload_of(message)
    except PeerError:
        pass


@given(st.text() | JSON.map(json.dumps))
def test_reading_gives_a_value_or_the_documented_error(text: str) -> None:
    read_everything(text)


LIKE_A_MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "request": st.none()
        | st.fixed_dictionaries({}, optional={"method": JSON, "arguments": JSON, "call_id": JSON})
        | st.fixed_dictionaries({"method": st.text(), "arguments": st.dictionaries(st.just("topics"), JSON)}),
        "response": st.none() | st.fixed_dictionaries({}, optional={"result": JSON, "call_id": JSON}),
    },
)


@given(LIKE_A_MESSAGE)
def test_reading_what_resembles_a_message(message: Any) -> None:
    read_everything(json.dumps(message))


def test_metadata_is_added_to_a_copy_and_removed_from_one() -> None:
    data = {"a": 1}
    full = classic.with_metadata(data, "__eventhive__", "net/a/b")
    assert data == {"a": 1}
    assert list(full) == ["a", "__eventhive__"]
    assert list(full["__eventhive__"]) == ["time", "version", "event", "id"]
    assert full["__eventhive__"]["event"] == "net/a/b"
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", full["__eventhive__"]["id"])
    assert classic.without_metadata(full, "__eventhive__") == data
    assert "__eventhive__" in full
    for other in (None, [1], "text", 5):
        assert classic.with_metadata(other, "__eventhive__", "x") == other
        assert classic.without_metadata(other, "__eventhive__") == other


def test_long_data_is_refused() -> None:
    Payload("x" * (classic.MAX_DATA_BYTES - 6)).check()
    with pytest.raises(LimitError):
        Payload("x" * (classic.MAX_DATA_BYTES - 5)).check()


def test_the_longest_event_fits_every_receiver() -> None:
    payload = Payload("x" * (classic.MAX_DATA_BYTES - 6))
    topic = "\u2026" * classic.MAX_TOPIC_BYTES
    publish = classic.publish(classic.publish_head(topic), payload, 10**9)
    assert len(publish) <= classic.MAX_PUBLISH_BYTES
    assert len(classic.notify(classic.notify_head("0" * 32, "0" * 32, topic), payload, 10**9)) <= 1024 * 1024
