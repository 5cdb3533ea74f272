"""The connector whose carrier is exchanged, on real brokers and servers, and what a configuration makes of it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from eventhive import hosting, roaming
from eventhive.classic import Payload
from eventhive.connectors import backlog
from eventhive.connectors.memory import MemoryConnector
from eventhive.connectors.roaming import RoamingConnector
from eventhive.connectors.websocket import WebsocketConnector
from eventhive.core.errors import LimitError
from eventhive.discovery import search
from eventhive.reach import Reach
from eventhive.servers.broker import Broker
from eventhive.servers.websocket import WebsocketServer

DEADLINE = 10


class Heard:
    """A subscriber of a broker that keeps what it got."""

    owner = "somebody"

    def __init__(self, broker: Broker, topic: str = "net/out/e"):
        self.got: list[Any] = []
        broker.subscribe(topic, self)

    def notify(self, topic: str, payload: Payload) -> None:
        self.got.append(payload.data)


def run(test: Callable[[RoamingConnector], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        connector = RoamingConnector("net")
        connector.start()
        async with asyncio.timeout(DEADLINE):
            await test(connector)
            await connector.stop(1)

    asyncio.run(play())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def served() -> tuple[Broker, WebsocketServer]:
    broker = Broker()
    server = WebsocketServer("net", "127.0.0.1", 0, broker)
    await server.start()
    return broker, server


def to(server: WebsocketServer) -> WebsocketConnector:
    return WebsocketConnector("net", "127.0.0.1", server.port, "/pubsub", "ws")


def test_events_wait_for_a_carrier_and_keep_their_order_through_each() -> None:
    async def test(connector: RoamingConnector) -> None:
        confirmed: list[int] = []
        relieved: list[bool] = []
        connector.relieved = lambda: relieved.append(True)

        def publish(number: int) -> bool:
            return connector.publish("net/out/e", Payload(number), lambda: confirmed.append(number))

        assert not publish(1) and not publish(2)
        assert connector.away.is_set() and not connector.connected
        (first, server), (second, other) = await served(), await served()
        one, two = Heard(first), Heard(second)
        connector.use(to(server))
        publish(3)
        await until(lambda: one.got == [1, 2, 3] and confirmed == [1, 2, 3])
        assert connector.connected and not connector.away.is_set() and relieved
        server.shut()
        publish(4)
        connector.leave()
        publish(5)
        assert connector.away.is_set()
        connector.use(to(other))
        publish(6)
        await until(lambda: confirmed == [1, 2, 3, 4, 5, 6])
        assert (one.got, two.got) == ([1, 2, 3], [4, 5, 6])
        broker = Broker()
        three = Heard(broker)
        publish(7)
        connector.use(MemoryConnector("net", broker))
        assert publish(8)
        await until(lambda: 7 in confirmed)
        assert three.got[-2:] == [7, 8] and two.got + three.got == sorted(two.got + three.got)
        await server.stop(1)
        await other.stop(1)

    run(test)


def test_topics_follow_and_a_carrier_that_was_left_delivers_nothing() -> None:
    async def test(connector: RoamingConnector) -> None:
        got: list[Any] = []
        connector.deliver = lambda topic, payload: got.append((topic, payload.data))
        connector.subscribe("net/in/a")
        connector.subscribe("net/in/b")
        connector.unsubscribe("net/in/b")
        first, second = Broker(), Broker()
        connector.use(MemoryConnector("net", first))
        connector.subscribe("net/in/c")
        first.publish("net/in/a", Payload(1), None)
        first.publish("net/in/b", Payload(2), None)
        connector.use(MemoryConnector("net", second))
        first.publish("net/in/a", Payload(3), None)
        second.publish("net/in/c", Payload(4), None)
        connector.unsubscribe("net/in/c")
        second.publish("net/in/c", Payload(5), None)
        assert got == [("net/in/a", 1), ("net/in/c", 4)]

    run(test)


def test_a_carrier_that_is_held_receives_and_sends_later() -> None:
    async def test(connector: RoamingConnector) -> None:
        got: list[Any] = []
        connector.deliver = lambda topic, payload: got.append(payload.data)
        connector.subscribe("net/in/a")
        broker = Broker()
        heard = Heard(broker)
        carrier = MemoryConnector("net", broker)
        connector.use(carrier, hold=True)
        assert not connector.publish("net/out/e", Payload(1))
        broker.publish("net/in/a", Payload(2), None)
        connector.release(MemoryConnector("net", Broker()))
        assert (heard.got, got) == ([], [2])
        connector.release(carrier)
        assert heard.got == [1]

    run(test)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MAX_WAITING", 2)
    monkeypatch.setattr(backlog, "MAX_WAITING_BYTES", 50)

    async def test(connector: RoamingConnector) -> None:
        connector.publish("t", Payload(1))
        connector.publish("t", Payload(2))
        assert not connector.ready
        with pytest.raises(LimitError, match="net: 2 events wait for a server already"):
            connector.publish("t", Payload(3))
        broker = Broker()
        heard = Heard(broker, "t")
        connector.use(MemoryConnector("net", broker))
        assert connector.ready and heard.got == [1, 2]
        connector.leave()
        connector.publish("t", Payload("x" * 60))
        assert not connector.ready
        assert await connector.stop(0) == 1

    run(test)


def test_it_pauses_each_carrier() -> None:
    async def test(connector: RoamingConnector) -> None:
        got: list[Any] = []
        connector.deliver = lambda topic, payload: got.append(payload.data)
        connector.subscribe("net/in/a")
        connector.pause()
        broker, server = await served()
        connector.use(to(server))
        await until(lambda: "net/in/a" in broker._topics)
        other, heard = to(server), []
        other.deliver = lambda topic, payload: heard.append(payload.data)
        other.subscribe("net/in/a")
        other.start()
        await until(lambda: len(broker._topics["net/in/a"]) == 2)
        broker.publish("net/in/a", Payload(1), None)
        await until(lambda: heard == [1])
        await other.stop(1)
        assert got == []
        connector.resume()
        await until(lambda: got == [1])
        await server.stop(1)

    run(test)


# What a configuration makes of it

LOOPBACK = "eventhive: {interfaces: [127.0.0.1]}\n"


@pytest.mark.usefixtures("multicast")
def test_two_servers_that_give_way_to_nobody_say_so(
    here: Any, wait_for: Any, network: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"servers: {{{network}: {{pubsub_type: websocket, create: always, broadcast: true, init: {{port: 0}}}}}}"
    first, second = here(LOOPBACK + text), here(LOOPBACK + text)
    wait_for(lambda: caplog.text.count(f"{network}: another server is announced, as ws://127.0.0.1:") == 2)
    assert first.hive.servers and second.hive.servers
    assert list(first.hive.broadcasters) == [network]


def test_a_process_without_a_connector_takes_over(
    here: Any, wait_for: Any, port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eventhive")
    monkeypatch.setattr(roaming, "LOOK_SECONDS", 0.05)
    text = f"servers: {{net: {{pubsub_type: websocket, create: needed, init: {{port: {port}}}}}}}"
    first, second = here(text), here(text)
    assert list(first.hive.servers) == ["net"] and not second.hive.servers
    assert f"net: there is a server at ws://127.0.0.1:{port}/pubsub already" in caplog.text
    first.hive.stop()
    wait_for(lambda: second.hive.servers)


@pytest.mark.usefixtures("multicast")
def test_a_server_is_announced_anew_when_this_machine_has_other_addresses(
    here: Any, wait_for: Any, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "REACH_SECONDS", 0.05)
    places = [Reach("127.0.0.2", ("127.0.0.2",), ("127.0.0.1",)), Reach("127.0.0.3", ("127.0.0.3",), ("127.0.0.1",))]
    monkeypatch.setattr(hosting, "reach", lambda host, interfaces: places[0])
    text = "servers: {%s: {pubsub_type: websocket, create: always, broadcast: true, init: {host: 0.0.0.0, port: 0}}}"
    here(text % network)
    assert [one.host for one in asyncio.run(search(network, 3, ("127.0.0.1",)))] == ["127.0.0.2"]
    del places[0]
    wait_for(lambda: [one.host for one in asyncio.run(search(network, 3, ("127.0.0.1",)))] == ["127.0.0.3"])


def test_a_network_that_cannot_be_announced_is_served_all_the_same(
    here: Any, wait_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    text = """
eventhive: {interfaces: [203.0.113.77]}
servers: {net: {pubsub_type: websocket, create: always, broadcast: true, init: {host: 0.0.0.0, port: 0}}}
connectors: {other: {pubsub_type: websocket, from_broadcast: 0.1}}
"""
    hive = here(text)
    assert "net: nobody will find its server: no multicast DNS on 203.0.113.77: " in caplog.text
    assert "other: no multicast DNS on 203.0.113.77: " in caplog.text
    assert list(hive.hive.servers) == ["net"]
    assert hive.hive.connectors["other"].state == "no announced server found within 0.1 s"
