"""The websocket connector against servers that the test plays itself, on the `websockets` library."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from eventhive.classic import MAX_DATA_BYTES, Payload
from eventhive.connectors import backlog, websocket
from eventhive.connectors.websocket import WebsocketConnector
from eventhive.core.errors import LimitError
from eventhive.websocket import connect

DEADLINE = 10


class Played:
    """A server whose answers the test gives."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self.server: Server | None = None
        self.port = 0

    async def listen(self) -> None:
        async def handle(connection: ServerConnection) -> None:
            self.connections.put_nowait(connection)
            await connection.wait_closed()

        self.server = await serve(handle, "127.0.0.1", self.port)
        self.port = next(iter(self.server.sockets)).getsockname()[1]

    async def greeted(self) -> ServerConnection:
        """The next connection, after its first call was answered."""
        connection = await self.connections.get()
        await self.answer(connection)
        return connection

    async def receive(self, connection: ServerConnection) -> dict[str, Any]:
        message = json.loads(await connection.recv())
        assert sorted(message) == ["request", "response"]
        return dict(message)

    async def answer(self, connection: ServerConnection, result: Any = True) -> dict[str, Any]:
        """Answer the next call and return it."""
        call = (await self.receive(connection))["request"]
        response = {"result": result, "result_type": "bool", "call_id": call["call_id"]}
        await connection.send(json.dumps({"request": None, "response": response}))
        return dict(call)

    async def notify(self, connection: ServerConnection, topic: str, data: Any) -> dict[str, Any]:
        subscription = {"id": "1", "subscriber_id": "2", "topic": topic, "notifier_id": None}
        arguments = {"subscription": subscription, "data": data}
        request = {"method": "notify", "arguments": arguments, "call_id": "n1"}
        await connection.send(json.dumps({"request": request, "response": None}))
        return await self.receive(connection)


def play(test: Callable[[Played, WebsocketConnector], Coroutine[Any, Any, None]], start: bool = True) -> None:
    async def run() -> None:
        played = Played()
        await played.listen()
        connector = WebsocketConnector("net", "127.0.0.1", played.port, "/pubsub", "ws")
        if start:
            connector.start()
        async with asyncio.timeout(DEADLINE):
            await test(played, connector)
            await connector.stop(0)
        assert played.server
        played.server.close()

    asyncio.run(run())


async def unheard(played: Played, connection: ServerConnection) -> None:
    """Answer the next call as a server of ours does where nobody got the event."""
    call_id = (await played.receive(connection))["request"]["call_id"]
    response = {"result": True, "result_type": "bool", "call_id": call_id, "subscribers": 0}
    await connection.send(json.dumps({"request": None, "response": response}))


def test_it_tells_that_nobody_got_an_event(caplog: pytest.LogCaptureFixture) -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        connection = await played.greeted()
        told: list[str] = []
        done = asyncio.Event()
        connector.publish("a", Payload(1), lambda: told.append("confirm a"), lambda: told.append("nobody a"))
        connector.publish("b", Payload(1), lambda: told.append("confirm b"), lambda: told.append("nobody b"))
        connector.publish("c", Payload(1), done.set)
        await unheard(played, connection)
        await played.answer(connection)
        await unheard(played, connection)
        await done.wait()
        assert told == ["nobody a", "confirm a", "confirm b"]
        assert "refused" not in caplog.text

    play(test)


def test_an_event_that_is_sent_twice_may_have_reached_somebody() -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        told: list[str] = []
        done = asyncio.Event()
        connection = await played.greeted()
        connector.publish("twice", Payload(1), None, lambda: told.append("twice"))
        await played.receive(connection)
        await connection.close()
        connector.publish("once", Payload(1), done.set, lambda: told.append("once"))
        connection = await played.greeted()
        await unheard(played, connection)
        await unheard(played, connection)
        await done.wait()
        assert told == ["once"]

    play(test)


def test_it_subscribes_and_publishes_on_one_connection() -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        got: list[tuple[str, Any]] = []
        connector.deliver = lambda topic, payload: got.append((topic, payload.data))
        connector.subscribe("net/in/a")
        connector.subscribe("net/in/b")
        connector.start()
        connection = await played.connections.get()
        call = await played.answer(connection)
        assert (call["method"], call["arguments"]) == ("subscribe", {"topics": ["net/in/a", "net/in/b"]})
        await connector.settled.wait()
        assert connector.connected
        connector.subscribe("net/in/a")
        connector.subscribe("net/in/late")
        assert (await played.answer(connection))["arguments"] == {"topics": ["net/in/late"]}
        confirmed = asyncio.Event()
        assert not connector.publish("net/out/é", Payload({"a": "é"}), confirmed.set)
        call = await played.answer(connection)
        assert call["method"] == "publish"
        assert call["arguments"] == {
            "topics": ["net/out/é"],
            "data": '{"a": "\\u00e9"}',
            "sync": False,
            "notifier_id": None,
        }
        await confirmed.wait()
        answer = await played.notify(connection, "net/in/a", '{"x": 1}')
        assert answer["response"] == {"result": "None", "result_type": "str", "call_id": "n1"}
        await played.notify(connection, "net/in/never", "1")
        connector.unsubscribe("net/in/b")
        await played.notify(connection, "net/in/b", "1")
        await played.notify(connection, "net/in/late", {"raw": True})
        assert got == [("net/in/a", {"x": 1}), ("net/in/late", {"raw": True})]
        await connection.send('{"request": {"method": "_ping_", "arguments": {}, "call_id": "p"}, "response": null}')
        assert (await played.receive(connection))["response"]["result"] == "pong"

    play(test, start=False)


def test_unanswered_events_are_sent_again_in_order_and_answered_ones_are_not() -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        connection = await played.greeted()
        confirmed: list[int] = []
        for number in range(4):
            connector.publish("t", Payload(number), lambda number=number: confirmed.append(number))  # type: ignore[misc]
        assert (await played.answer(connection))["arguments"]["data"] == "0"
        assert (await played.receive(connection))["request"]["arguments"]["data"] == "1"
        await connection.close()
        connector.publish("t", Payload(4))
        connection = await played.greeted()
        sent = [(await played.answer(connection))["arguments"]["data"] for _ in range(4)]
        assert sent == ["1", "2", "3", "4"]
        await connector.stop(5)
        assert confirmed == [0, 1, 2, 3]

    play(test)


def test_what_waits_is_bounded_and_room_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MAX_WAITING", 4)

    async def test(played: Played, connector: WebsocketConnector) -> None:
        connection = await played.greeted()
        relieved = asyncio.Event()
        connector.relieved = relieved.set
        for number in range(4):
            assert connector.ready
            connector.publish("t", Payload(number))
        assert not connector.ready
        with pytest.raises(LimitError, match="net: 4 events wait for ws://127"):
            connector.publish("t", Payload(5))
        await played.answer(connection)
        assert not relieved.is_set()
        await played.answer(connection)
        await relieved.wait()
        with pytest.raises(LimitError, match="bytes of data: a hive carries"):
            connector.publish("t", Payload("x" * MAX_DATA_BYTES))
        assert await connector.stop(0) == 2

    play(test)


def test_a_refused_event_is_reported_and_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        connection = await played.greeted()
        connector.publish("t", Payload(1))
        await played.answer(connection, result=False)
        assert await connector.stop(5) == 0

    play(test)
    assert "net: the server refused an event: False" in caplog.messages


@pytest.mark.parametrize(
    "message",
    [
        b"binary",
        "no json",
        '{"request": {"method": "explode", "call_id": "1"}}',
        '{"request": {"method": "notify", "arguments": {"subscription": 5}}}',
        '{"request": {"method": "notify", "arguments": {"subscription": {"topic": 5}}}}',
    ],
)
def test_a_server_that_breaks_the_wire_is_left_and_tried_again(message: Any) -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        connection = await played.greeted()
        await connection.send(message)
        await connection.wait_closed()
        assert connection.close_code == 1002
        await played.greeted()

    play(test)


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        '{"request": null, "response": {"result": true, "result_type": "bool", "call_id": "999"}}',
        '{"request": null, "response": {"result": true, "result_type": "bool", "call_id": "x"y"}}',
        '{"request": null, "response": {"result": true}}',
        '{"request": {"method": "notify", "arguments": {"subscription": {"topic": "t"}, "data": "{"}}}',
    ],
)
def test_harmless_messages(message: str) -> None:
    async def test(played: Played, connector: WebsocketConnector) -> None:
        connection = await played.greeted()
        await connection.send(message)
        if '"x"y"' in message:
            await connection.wait_closed()
            return
        await connection.send('{"request": {"method": "_ping_", "call_id": "p"}}')
        assert (await played.receive(connection))["response"]["call_id"] == "p"

    play(test)


def test_states_are_logged_once_each(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Any] = []

    async def counted(*arguments: Any) -> Any:
        attempts.append(arguments)
        return await connect(*arguments)

    monkeypatch.setattr(websocket, "connect", counted)

    async def test(played: Played, connector: WebsocketConnector) -> None:
        caplog.set_level(logging.INFO, "eventhive")
        connection = await played.greeted()
        assert played.server
        played.server.close()
        await played.server.wait_closed()
        await connection.wait_closed()
        while len(attempts) < 4:
            await asyncio.sleep(0.01)
        await played.listen()
        await played.greeted()
        while not connector.connected:
            await asyncio.sleep(0.01)
        url = f"ws://127.0.0.1:{played.port}/pubsub"
        assert caplog.messages == [
            f"net: connected to {url}",
            f"net: waiting for {url}: closed with code 1001",
            f"net: waiting for {url}: Connection refused",
            f"net: connected to {url}",
        ]

    play(test)


def test_what_is_no_pubsub_server_is_named() -> None:
    async def run() -> None:
        async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(web, "127.0.0.1", 0)
        connector = WebsocketConnector("net", "127.0.0.1", server.sockets[0].getsockname()[1], "/", "ws")
        connector.start()
        await asyncio.wait_for(connector.settled.wait(), DEADLINE)
        assert connector.state.endswith("no websocket there: it answered '404 Not Found'")
        await connector.stop(0)
        gone = WebsocketConnector("net", "no-such-host.invalid", 1, "/", "ws")
        gone.start()
        await asyncio.wait_for(gone.settled.wait(), DEADLINE)
        assert gone.state.startswith("waiting for ws://no-such-host.invalid:1/: ")
        await gone.stop(0)
        server.close()

    asyncio.run(run())
