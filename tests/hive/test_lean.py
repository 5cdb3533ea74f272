"""The lean wire: its frames, and a server and a connector of ours that speak it, with the other end by hand."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from eventhive import lean
from eventhive.classic import MAX_DATA_BYTES, MAX_NOTIFY_BYTES, MAX_PUBLISH_BYTES, Payload
from eventhive.connectors.websocket import WebsocketConnector
from eventhive.core.errors import PeerError

LEAN = Subprotocol("eventhive.lean.1")
YAML = """
connectors: {net: {pubsub_type: websocket, input_channel: here}}
servers: {net: {pubsub_type: websocket, create: always, init: {port: 0}}}
"""
DEADLINE = 10

topics = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=256)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def frames(events: list[tuple[str, Payload]]) -> Iterator[str]:
    batch = lean.Batch()
    for topic, payload in events:
        if not batch.fits(payload):
            yield batch.take().decode()
        batch.add(topic, payload)
    if batch.size:
        yield batch.take().decode()


# The frames


@given(st.lists(st.tuples(topics, values)), st.sampled_from([None, 0, 2]), st.booleans())
def test_events_of_any_data_come_out_as_they_went_in(
    events: list[tuple[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    texts = [(topic, json.dumps(value, indent=indent, ensure_ascii=ascii_only)) for topic, value in events]
    texts = [(topic, text) for topic, text in texts if text.isascii() or text.encode(errors="replace").decode() == text]
    got = [one for frame in frames([(t, Payload(text=x)) for t, x in texts]) for one in lean.events(frame)]
    assert [(topic, payload.data) for topic, payload in got] == [(topic, json.loads(text)) for topic, text in texts]


@given(st.lists(st.tuples(st.sampled_from(["a/b", "a/c"]), st.text())))
def test_text_of_others_that_is_no_json_changes_no_other_event(events: list[tuple[str, str]]) -> None:
    got = [one for frame in frames([(t, Payload(text=x)) for t, x in events]) for one in lean.events(frame)]
    assert [topic for topic, _ in got] == [topic for topic, _ in events]
    for (_, payload), (_, text) in zip(got, events, strict=True):
        assert payload.text in (text.replace("\n", " ").encode(errors="replace").decode(), lean.NO_JSON)


@given(st.text())
def test_any_frame_gives_events_or_an_error(frame: str) -> None:
    try:
        events = list(lean.events("@" + frame))
        assert all(0 < len(topic) <= 256 and isinstance(payload, Payload) for topic, payload in events)
    except PeerError as error:
        assert "a topic has 1 to 256" in str(error)


def test_a_frame_in_full() -> None:
    batch = lean.Batch()
    for topic, data in [("n/w/a", {"n": 1}), ("n/w/a", {"n": 2}), ("n/w/b", None), ("n/w/a", "é")]:
        batch.add(topic, Payload(data))
    assert batch.take() == b'@n/w/a\n{"n": 1}\n{"n": 2}\n@n/w/b\nnull\n@n/w/a\n"\\u00e9"'
    assert batch.take() == b""


def test_no_frame_is_longer_than_a_server_takes() -> None:
    batch = lean.Batch()
    longest = Payload(text='"' + "é" * ((MAX_DATA_BYTES - 6) // 6) + '"').check()
    while batch.fits(Payload(text='"' + "\U0001f600" * 100 + '"')):
        batch.add("t" * 256, Payload(text='"' + "\U0001f600" * 100 + '"'))
    assert not batch.fits(longest)
    assert len(batch.take()) < MAX_PUBLISH_BYTES
    assert batch.fits(longest)
    batch.add("\U0001f600" * 256, longest)
    assert len(batch.take()) < MAX_PUBLISH_BYTES


@given(st.integers(0, 50), st.sets(st.integers(1, 200)), st.integers(1, 200))
def test_confirmations(before: int, numbers: set[int], count: int) -> None:
    count += before
    unheard = {number for number in numbers if before < number <= count}
    text = lean.taken(count, sorted(unheard)).decode()
    assert lean.read_taken(text, before, count + 5) == (count, unheard)


def test_a_confirmation_in_full() -> None:
    assert lean.taken(12) == b"+12"
    assert lean.taken(12, [3, 7, 8, 9, 12]) == b"+12 3-3 7-9 12-12"


@pytest.mark.parametrize(
    "text",
    [
        *("+", "+x", "+4", "+11", "+-5", "+9 4-4", "+9 6-10", "+9 8-7", "+9 6", "+9 6-6 6-6", "+9  6-6", "+٩"),
        "+" + "9" * 5000,
    ],
)
def test_confirmations_that_cannot_be(text: str) -> None:
    with pytest.raises(PeerError, match=r"^a confirmation of '"):
        lean.read_taken(text, 5, 10)


@given(st.text())
def test_any_confirmation_gives_numbers_or_an_error(text: str) -> None:
    try:
        count, unheard = lean.read_taken("+" + text, 3, 1000)
        assert 3 <= count <= 1000 and all(3 < number <= count for number in unheard)
    except PeerError:
        pass


def test_the_page_about_it_says_what_the_code_does() -> None:
    page = (Path(__file__).parents[2] / "docs" / "hive-wire.md").read_text()
    assert lean.SUBPROTOCOL in page
    for number in (MAX_PUBLISH_BYTES, MAX_NOTIFY_BYTES, lean.FRAME_CHARACTERS):
        assert f"{number:,}" in page
    blocks = [block.split("```")[0].strip() for block in page.split("```\n")]
    shown = [(topic, payload.data) for topic, payload in lean.events(next(one for one in blocks if one[:1] == "@"))]
    action = "my-hive/worker/action"
    assert shown == [(action, {"n": 1}), (action, {"n": 2}), ("my-hive/worker/other", None)]
    assert lean.read_taken(next(one for one in blocks if one[:1] == "+"), 2, 12) == (12, {3, 7, 8, 9})


# The server


@pytest.fixture
def client(here: Callable[[str], Any]) -> Iterator[Callable[..., ClientConnection]]:
    hive = here(YAML)
    with ExitStack() as stack:

        def make(**options: Any) -> ClientConnection:
            url = f"ws://127.0.0.1:{hive.hive.servers['net'].port}/pubsub"
            return stack.enter_context(connect(url, **options))

        make.hive = hive  # type: ignore[attr-defined]
        yield make


def subscribe(one: ClientConnection, *topics: str) -> None:
    one.send(json.dumps({"request": {"method": "subscribe", "arguments": {"topics": topics}, "call_id": "s"}}))
    assert json.loads(one.recv(DEADLINE))["response"]["result"] is True


def test_the_server_agrees_on_it_where_it_is_offered(client: Callable[..., ClientConnection]) -> None:
    assert client(subprotocols=[Subprotocol("other"), LEAN]).subprotocol == LEAN
    assert client(subprotocols=[Subprotocol("other")]).subprotocol is None
    assert client().subprotocol is None


def test_events_on_both_wires_of_one_server(client: Callable[..., ClientConnection]) -> None:
    one, other, classic = client(subprotocols=[LEAN]), client(subprotocols=[LEAN]), client()
    subscribe(other, "net/x/a")
    subscribe(classic, "net/x/a")
    one.send('@net/x/a\n{"n": 1}\n{"n": 2}\n@net/x/nobody\n3\n@net/x/a\n{"n": 4}')
    assert one.recv(DEADLINE) == "+4 3-3"
    assert other.recv(DEADLINE) == '@net/x/a\n{"n": 1}\n{"n": 2}\n{"n": 4}'
    texts = [json.loads(classic.recv(DEADLINE))["request"]["arguments"]["data"] for _ in range(3)]
    assert texts == ['{"n": 1}', '{"n": 2}', '{"n": 4}']
    arguments = {"topics": ["net/x/a"], "data": '{"n":\n 5}'}
    classic.send(json.dumps({"request": {"method": "publish", "arguments": arguments, "call_id": "p"}}))
    assert other.recv(DEADLINE) == '@net/x/a\n{"n":  5}'
    one.send("@net/x/nobody\n1")
    assert one.recv(DEADLINE) == "+5 5-5"


def test_hooks_of_the_server_s_own_process(client: Any, wait_for: Any) -> None:
    got: list[Any] = []
    client.hive.events.hook(got.append, "here/a")
    one = client(subprotocols=[LEAN])
    subscribe(one, "net/other/b")
    one.send("@net/here/a\n1\n2")
    assert one.recv(DEADLINE) == "+2"
    wait_for(lambda: got == [1, 2])
    client.hive.events.call("net/other/b", {"x": 1})
    assert one.recv(DEADLINE) == '@net/other/b\n{"x": 1}'


def test_a_listener_to_all_is_no_receiver(client: Callable[..., ClientConnection]) -> None:
    one, listener = client(subprotocols=[LEAN]), client(subprotocols=[LEAN])
    subscribe(listener, "__EventNotifier_ALL_TOPICS__")
    one.send("@net/x/a\n1")
    assert one.recv(DEADLINE) == "+1 1-1"
    assert listener.recv(DEADLINE) == "@net/x/a\n1"


@pytest.mark.parametrize("frame", ["@" + "x" * 257, "@net/x/a\n1\n@" + "x" * 257, "+1"])
def test_who_breaks_the_wire_is_disconnected(client: Callable[..., ClientConnection], frame: str) -> None:
    one, other = client(subprotocols=[LEAN]), client(subprotocols=[LEAN])
    one.send(frame)
    with pytest.raises(ConnectionClosed) as caught:
        one.recv(DEADLINE)
    assert caught.value.rcvd and caught.value.rcvd.code == 1008
    subscribe(other, "net/x/a")


def test_frames_of_it_are_not_taken_where_it_is_not_agreed_on(client: Callable[..., ClientConnection]) -> None:
    one = client()
    one.send("@net/x/a\n1")
    with pytest.raises(ConnectionClosed) as caught:
        one.recv(DEADLINE)
    assert caught.value.rcvd and caught.value.rcvd.code == 1008


# The connector


def play(test: Callable[[WebsocketConnector, "asyncio.Queue[ServerConnection]"], Any], classic_only: bool) -> None:
    async def run() -> None:
        connections: asyncio.Queue[ServerConnection] = asyncio.Queue()

        async def handle(connection: ServerConnection) -> None:
            connections.put_nowait(connection)
            await connection.wait_closed()

        def select(connection: ServerConnection, offered: Any) -> Subprotocol | None:
            return LEAN if LEAN in offered else None

        async with serve(handle, "127.0.0.1", 0, select_subprotocol=select) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            connector = WebsocketConnector("net", "127.0.0.1", port, "/pubsub", "ws", classic_only=classic_only)
            async with asyncio.timeout(DEADLINE):
                await test(connector, connections)
                await connector.stop(0)

    asyncio.run(run())


async def greeted(connection: ServerConnection) -> None:
    call_id = json.loads(await connection.recv())["request"]["call_id"]
    response = {"result": True, "result_type": "bool", "call_id": call_id}
    await connection.send(json.dumps({"request": None, "response": response}))


def test_the_connector_sends_again_what_was_not_confirmed() -> None:
    async def test(connector: WebsocketConnector, connections: "asyncio.Queue[ServerConnection]") -> None:
        told: list[str] = []
        connector.start()
        for name in "abcd":
            connector.publish(
                "net/x/" + name,
                Payload(name),
                lambda name=name: told.append(name),  # type: ignore[misc]
                lambda name=name: told.append("nobody " + name),  # type: ignore[misc]
            )
        connection = await connections.get()
        assert connection.subprotocol == LEAN
        await greeted(connection)
        assert await connection.recv() == '@net/x/a\n"a"\n@net/x/b\n"b"\n@net/x/c\n"c"\n@net/x/d\n"d"'
        await connection.send("+2 2-2")
        while told != ["a", "nobody b", "b"]:
            await asyncio.sleep(0)
        await connection.close()
        again = await connections.get()
        await greeted(again)
        assert await again.recv() == '@net/x/c\n"c"\n@net/x/d\n"d"'
        await again.send("+2 1-2")
        while len(told) < 5:
            await asyncio.sleep(0)
        # They may have reached somebody the first time.
        assert told == ["a", "nobody b", "b", "c", "d"]

    play(test, classic_only=False)


def test_the_connector_takes_events_of_its_topics() -> None:
    async def test(connector: WebsocketConnector, connections: "asyncio.Queue[ServerConnection]") -> None:
        got: list[Any] = []
        connector.deliver = lambda topic, payload: got.append((topic, payload.data))
        connector.subscribe("net/in/a")
        connector.start()
        connection = await connections.get()
        await greeted(connection)
        await connection.send('@net/in/a\n1\n@net/in/other\n2\n@net/in/a\n{"x": 3}')
        while len(got) < 2:
            await asyncio.sleep(0)
        assert got == [("net/in/a", 1), ("net/in/a", {"x": 3})]
        connector.publish("net/x/late", Payload(1))
        connector.subscribe("net/in/b")
        assert await connection.recv() == "@net/x/late\n1"
        assert json.loads(await connection.recv())["request"]["method"] == "subscribe"

    play(test, classic_only=False)


@pytest.mark.parametrize("message", ["+1", "+x", "@" + "x" * 257])
def test_the_connector_leaves_a_server_that_breaks_the_wire(message: str) -> None:
    async def test(connector: WebsocketConnector, connections: "asyncio.Queue[ServerConnection]") -> None:
        connector.start()
        connection = await connections.get()
        await greeted(connection)
        await connection.send(message)
        await connection.wait_closed()
        assert connection.close_code == 1002

    play(test, classic_only=False)


def test_it_is_switched_off_by_a_word() -> None:
    async def test(connector: WebsocketConnector, connections: "asyncio.Queue[ServerConnection]") -> None:
        connector.start()
        connector.publish("net/x/a", Payload(1))
        connection = await connections.get()
        assert connection.subprotocol is None
        await greeted(connection)
        assert json.loads(await connection.recv())["request"]["method"] == "publish"

    play(test, classic_only=True)


def test_the_word_in_the_configuration(here: Callable[[str], Any], wait_for: Any) -> None:
    server = here(YAML)
    port = server.hive.servers["net"].port
    for word, agreed in (("classic", ""), ("auto", LEAN)):
        one = here(f"connectors: {{net: {{pubsub_type: websocket, init: {{port: {port}, wire: {word}}}}}}}")
        assert one.hive.connectors["net"].connected
        wait_for(lambda agreed=agreed: agreed in [peer.subprotocol for peer in server.hive.servers["net"].peers])
