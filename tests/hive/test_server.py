"""The pubsub server on the wire: raw frames of a plain websocket client against a hive in this process."""

import contextlib
import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from eventhive import classic
from eventhive.servers.peer import HIGH_WATER, MAX_SUBSCRIPTIONS

YAML = """
connectors: {net: {pubsub_type: websocket, input_channel: here}}
servers: {net: {pubsub_type: websocket, create: always, init: {port: 0}}}
"""
ALL = "__EventNotifier_ALL_TOPICS__"


class Client:
    """A client that speaks the wire by hand."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket
        self.calls = 0

    def send(self, message: object) -> None:
        self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def receive(self) -> Any:
        return json.loads(self.socket.recv(timeout=10))

    def call(self, method: str, **arguments: Any) -> Any:
        self.calls += 1
        call_id = f"call {self.calls}"
        self.send({"request": {"method": method, "arguments": arguments, "call_id": call_id}, "response": None})
        answer = self.receive()
        assert answer["request"] is None
        assert answer["response"]["call_id"] == call_id
        assert answer["response"]["result_type"] == type(answer["response"]["result"]).__name__
        return answer["response"]["result"]

    def notified(self) -> tuple[str, Any]:
        """Wait for a notify, answer it, and return its topic and data."""
        message = self.receive()
        assert message["response"] is None
        request = message["request"]
        assert request["method"] == "notify"
        subscription = request["arguments"]["subscription"]
        assert sorted(subscription) == ["id", "notifier_id", "subscriber_id", "topic"]
        response = {"result": "None", "result_type": "str", "call_id": request["call_id"]}
        self.send({"request": None, "response": response})
        return subscription["topic"], request["arguments"]["data"]

    def closed(self) -> tuple[int, str]:
        """Wait for the close of the server."""
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                self.socket.recv(timeout=10)
        assert caught.value.rcvd is not None
        return caught.value.rcvd.code, caught.value.rcvd.reason

    def alive(self) -> bool:
        return bool(self.call("_ping_") == "pong")


@pytest.fixture
def client(here: Callable[[str], Any]) -> Callable[..., Client]:
    hive = here(YAML)
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Client:
            address = f"ws://127.0.0.1:{hive.hive.servers['net'].port}/pubsub"
            return Client(stack.enter_context(connect(address, **options)))

        make.hive = hive  # type: ignore[attr-defined]
        yield make  # type: ignore[misc]


def test_calls_of_one_client(client: Callable[..., Client]) -> None:
    one = client()
    assert one.call("_ping_") == "pong"
    assert one.call("ping") == "pong"
    assert len(one.call("_get_channel_id_")) == 32
    assert one.call("subscribe", topics=["net/a/b", "net/a/c"]) is True
    assert one.call("subscribe", topics="net/a/d") is True
    assert one.call("publish", topics=["net/a/b"], data='{"own": 1}', sync=True, notifier_id=None) is True
    assert one.call("publish", topics=["nobody"], data="1") is True
    assert one.call("unsubscribe", topics=["net/a/b", "never subscribed"]) is True


def test_a_publish_that_reaches_nobody_is_answered_with_a_word_more(client: Callable[..., Client]) -> None:
    one, other = client(), client()
    one.call("subscribe", topics=["net/a/own"])
    other.call("subscribe", topics=["net/a/b"])

    def publish(*topics: str) -> Any:
        arguments = {"topics": topics, "data": "1", "sync": False}
        one.send({"request": {"method": "publish", "arguments": arguments, "call_id": 'é"'}, "response": None})
        return one.receive()

    heard = {"result": True, "result_type": "bool", "call_id": 'é"'}
    unheard = {"request": None, "response": {**heard, "subscribers": 0}}
    assert publish("net/a/nothing", "net/a/own") == unheard
    assert publish("net/a/nothing", "net/a/b") == {"request": None, "response": heard}
    assert other.notified() == ("net/a/b", "1")
    other.call("unsubscribe", topics=["net/a/b"])
    assert publish("net/a/b") == unheard


def test_events_reach_every_other_subscriber(client: Callable[..., Client]) -> None:
    first, second, third = client(), client(compression=None), client()
    first.call("subscribe", topics=["net/a/b", "net/a/c"])
    second.call("subscribe", topics=["net/a/b", "net/a/b"])
    third.call("subscribe", topics=[ALL])
    data = '{"text": "\\u00e9 \\"quoted\\"", "n": 1.50}'
    assert first.call("publish", topics=["net/a/b", "net/a/c"], data=data)
    assert [second.notified(), second.notified()] == [("net/a/b", data)] * 2
    assert [third.notified(), third.notified()] == [("net/a/b", data), ("net/a/c", data)]
    second.call("unsubscribe", topics=["net/a/b"])
    third.call("publish", topics=["net/a/c"], data=data)
    assert first.notified() == ("net/a/c", data)
    assert second.alive()


@pytest.mark.parametrize("data", [None, {"a": [1]}, 5, [None, "x"], "not json"])
def test_data_of_other_software_is_passed_on_as_it_is(client: Callable[..., Client], data: Any) -> None:
    first, second = client(), client()
    second.call("subscribe", topics=["net/here/any"])
    first.call("publish", topics=["net/here/any"], data=data)
    assert second.notified() == ("net/here/any", data)


def test_hooks_of_this_process_and_the_wire(client: Any, wait_for: Any, caplog: pytest.LogCaptureFixture) -> None:
    hive, one = client.hive, client()
    seen: list[Any] = []
    hive.events.hook(seen.append, "here/event")
    one.call("subscribe", topics=["net/there/event"])
    one.call("publish", topics=["net/here/event"], data='{"a": 1}')
    with caplog.at_level(logging.WARNING):
        one.call("publish", topics=["net/here/event"], data="{poison")
        one.call("publish", topics=["net/here/event"], data="[" * 100_000)
    one.call("publish", topics=["net/here/event"], data=None)
    one.call("publish", topics=["net/here/event"], data={"b": 2})
    wait_for(lambda: len(seen) == 3)
    assert seen == [{"a": 1}, {}, {"b": 2}]
    assert [record.message for record in caplog.records] == [
        "net: an event net/here/event is dropped: it is not JSON: mend the program that sent it"
    ]
    assert hive.hive.networks["net"].sealing.unusable == 2
    hive.events.call("net/there/event", {"to": "the wire"})
    assert one.notified() == ("net/there/event", '{"to": "the wire"}')


@pytest.mark.parametrize(
    ("message", "code", "why"),
    [
        (b"binary", 1003, "a binary message"),
        ("no json", 1008, "not JSON"),
        ("[" * 100_000, 1008, "not JSON"),
        ('{"request": {"method": "explode"}}', 1008, "unknown method 'explode'"),
        ('{"request": {}}', 1008, "a call without a method"),
        ('{"request": {"method": "_ping_", "arguments": []}}', 1008, "a call without a method"),
        ('{"request": {"method": "_ping_", "call_id": 5}}', 1008, "a call_id that is no string"),
        ('{"request": {"method": "subscribe", "arguments": {"topics": 5}}}', 1008, "topics must be a list"),
        ('{"request": {"method": "subscribe", "arguments": {"topics": [5]}}}', 1008, "a topic is a string"),
        ('{"request": {"method": "subscribe", "arguments": {"topics": ["%s"]}}}' % ("x" * 257), 1008, "a topic is"),
        ('{"request": {"method": "publish", "arguments": {"topics": [""], "data": "1"}}}', 1008, "a topic is"),
        ('{"request": {"method": "publish", "arguments": {"topics": ["a\\n@b"], "data": "1"}}}', 1008, "a topic is"),
        ('{"request": {"method": "publish", "arguments": {"topics": {}}}}', 1008, "topics must be a list"),
        (
            json.dumps({"request": {"method": "subscribe", "arguments": {"topics": ["t"] * (MAX_SUBSCRIPTIONS + 1)}}}),
            1008,
            "more than 4096 subscriptions",
        ),
        ("x" * (classic.MAX_PUBLISH_BYTES + 1), 1009, ""),
    ],
)
def test_who_breaks_the_wire_is_disconnected_alone(
    client: Callable[..., Client], message: Any, code: int, why: str
) -> None:
    good, bad = client(), client()
    good.call("subscribe", topics=["t"])
    bad.send(message)
    closed = bad.closed()
    assert closed[0] == code and why in closed[1]
    assert good.alive()
    third = client()
    third.call("publish", topics=["t"], data="1")
    assert good.notified() == ("t", "1")


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        "5",
        "null",
        '"text"',
        "{}",
        '{"request": null, "response": null}',
        '{"response": {"result": 1}, "request": 5}',
        '{"request": [1]}',
    ],
)
def test_json_that_is_no_message_is_ignored(client: Callable[..., Client], message: str) -> None:
    one = client()
    one.send(message)
    assert one.alive()


def test_a_call_without_id_gets_no_answer(client: Callable[..., Client]) -> None:
    one = client()
    one.send('{"request": {"method": "_ping_"}}')
    assert one.alive()


def test_web_pages_are_refused(client: Callable[..., Client]) -> None:
    with pytest.raises(InvalidStatus) as caught:
        client(origin="https://example.org")
    assert caught.value.response.status_code == 403


def test_subscriptions_end_with_their_connection(client: Any, wait_for: Any) -> None:
    broker = client.hive.hive.servers["net"].broker
    one = client()
    one.call("subscribe", topics=["t", ALL])
    one.socket.close()
    wait_for(lambda: not broker._topics.keys() & {"t", ALL})


@pytest.fixture
def stuck(client: Any) -> Iterator[None]:
    """A client that has subscribed "t" and reads nothing."""
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", client.hive.hive.servers["net"].port)) as silent:
        silent.sendall(upgrade + Frame(Opcode.TEXT, classic.subscribe(["t"], "1")).serialize(mask=True))
        silent.recv(1)
        yield


@pytest.mark.usefixtures("stuck")
def test_a_client_that_does_not_read_holds_others_up_for_a_moment_and_is_cut_off(client: Any) -> None:
    reader = client()
    reader.call("subscribe", topics=["t"])
    network = client.hive.hive.networks["net"]
    peers = client.hive.hive.servers["net"].peers
    data = "x" * 100_000
    sent = 0
    while len(peers) == 2:
        assert network.call("t", sent)
        assert network.call("t", data)
        assert reader.notified() == ("t", str(sent))
        assert reader.notified() == ("t", json.dumps(data))
        sent += 1
    assert sent * len(data) > HIGH_WATER
    assert reader.alive()


@pytest.mark.usefixtures("stuck")
def test_a_confirmation_waits_while_a_subscriber_cannot_keep_up(client: Any, wait_for: Any) -> None:
    network = client.hive.hive.networks["net"]
    confirmed: list[bool] = []
    while client.hive.in_loop(network.publish, "t", "x" * 100_000, None, lambda: confirmed.append(True)):
        assert not confirmed
    wait_for(lambda: confirmed == [True])
