"""Networks on a real Redis server, by the connector, by hives and by programs of their own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import redis.asyncio
from redis_server import RedisServer

from eventhive.classic import Payload
from eventhive.connectors import backlog, redis_session
from eventhive.connectors import redis as connector_module
from eventhive.connectors.redis import RedisConnector
from eventhive.connectors.redis_servers import servers
from eventhive.core.errors import LimitError, PeerError

DEADLINE = 20
Run = Callable[..., Any]
Start = Callable[..., RedisServer]


class Joined:
    """A connector with what it received, and a client of the same server that is no part of EventHive."""

    def __init__(self, port: int, *topics: str, start: bool = True, **init: Any):
        self.connector = RedisConnector("net", {"host": "127.0.0.1", "port": port, **init})
        self.other = redis.asyncio.Redis(port=port)
        self.got: list[tuple[str, Any]] = []
        self.connector.deliver = self.deliver
        for topic in topics:
            self.connector.subscribe(topic)
        if start:
            self.connector.start()

    def deliver(self, topic: str, payload: Payload) -> None:
        self.got.append((topic, payload.data))

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await asyncio.sleep(0.002)

    async def connected(self) -> "Joined":
        await self.until(lambda: self.connector.connected)
        return self

    async def confirmed(self, topic: str, data: Any) -> bool:
        """Publish, wait for the server's answer, and return whether anybody else has it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        nobody: list[bool] = []
        confirm, unheard = lambda: done.set_result(None), lambda: nobody.append(True)
        assert not self.connector.publish(topic, Payload(data), confirm, unheard)
        await done
        return not nobody

    async def marked(self, topic: str) -> list[Any]:
        """What was received until now: nothing that was published before can come any more."""
        await self.other.publish(topic, '"mark"')
        await self.until(lambda: (topic, "mark") in self.got)
        return [data for _, data in self.got if data != "mark"]

    async def stop(self, seconds: float = 5) -> int:
        lost = await self.connector.stop(seconds)
        await self.other.aclose()
        return lost


def play(test: Coroutine[Any, Any, None]) -> None:
    async def run() -> None:
        async with asyncio.timeout(DEADLINE):
            await test

    asyncio.run(run())


def test_events_travel_as_those_of_the_original(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a", "net/in/[x]").connected()
        heard = one.other.pubsub()
        await heard.psubscribe("net/out/*")
        assert (await heard.get_message(timeout=5))["type"] == "psubscribe"
        assert await one.confirmed("net/out/é", {"a": "é", "b": [1.5, None]})
        message = await heard.get_message(timeout=5)
        assert message["channel"] == "net/out/é".encode()
        assert message["data"] == b'{"a": "\\u00e9", "b": [1.5, null]}'
        assert not await one.confirmed("net/nobody/x", {})
        assert await one.other.publish("net/in/a", '{"x": 1}') == 1
        assert await one.other.publish("net/in/x", "{}") == 0
        assert await one.other.publish("net/in/[x]", '"glob"') == 1
        assert await one.marked("net/in/a") == [{"x": 1}, "glob"]
        await heard.aclose()
        assert await one.stop() == 0

    play(test())


def test_topics_are_subscribed_and_left_while_it_runs(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port).connected()
        one.connector.subscribe("net/in/late")
        one.connector.subscribe("net/in/late")
        while await one.other.publish("net/in/late", "1") == 0:
            pass
        assert await one.marked("net/in/late") == [1]
        one.connector.subscribe("net/in/other")
        one.connector.unsubscribe("net/in/late")
        one.connector.unsubscribe("net/in/never")
        while await one.other.publish("net/in/late", "2") != 0:
            pass
        assert await one.other.publish("net/in/other", "3") == 1
        assert await one.marked("net/in/other") == [1, 3]
        assert await one.stop() == 0

    play(test())


def test_own_events_do_not_come_back_and_equal_ones_of_others_do(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a", "net/in/b").connected()
        two = await Joined(redis_server.port, "net/in/a", "net/in/b").connected()
        for number in range(300):
            # The same payload from both, and from somebody else, all at the same time.
            for joined in (one, two):
                joined.connector.publish("net/in/a", Payload({"same": True}))
                joined.connector.publish("net/in/b", Payload({"same": True}))
            if number % 3 == 0:
                await one.other.publish("net/in/a", '{"same": true}')
        assert await one.confirmed("net/in/a", {}) and await two.confirmed("net/in/a", {})
        for joined in (one, two):
            got = await joined.marked("net/in/a")
            assert got.count({"same": True}) == 700
            assert got.count({}) == 1
            assert len(got) == 701
            assert await joined.stop() == 0

    play(test())


def test_own_events_do_not_come_back_from_topics_that_change(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = Joined(redis_server.port)
        for round_number in range(50):
            for number in range(20):
                one.connector.publish("net/in/a", Payload([round_number, number]))
            one.connector.subscribe("net/in/a")
            one.connector.publish("net/in/a", Payload("subscribed"))
            if round_number % 2:
                await one.confirmed("net/in/a", "waited")
            one.connector.unsubscribe("net/in/a")
        one.connector.subscribe("net/in/a")
        await one.confirmed("net/in/a", "last")
        assert await one.marked("net/in/a") == []
        assert await one.stop() == 0

    play(test())


def test_an_outage_keeps_the_order_and_confirms_each_event_once(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/own").connected()
        two = await Joined(redis_server.port, "net/in/n").connected()
        confirmed: list[int] = []
        for number in range(3000):
            one.connector.publish("net/in/n", Payload(number), lambda number=number: confirmed.append(number))  # type: ignore[misc]
            one.connector.publish("net/in/own", Payload(number))
            if number == 1500:
                await two.until(lambda: len(two.got) > 100)
                redis_server.kill()
                await one.until(lambda: not one.connector.connected)
                await two.until(lambda: not two.connector.connected)
        refused = f"waiting for redis://127.0.0.1:{redis_server.port}/0: Connection refused"
        await one.until(lambda: one.connector.state == refused)
        before = len(two.got)
        assert await asyncio.to_thread(redis_server.start)
        await two.connected()
        await one.until(lambda: len(confirmed) == 3000)
        assert confirmed == list(range(3000))
        got = await two.marked("net/in/n")
        # What had no answer was sent again, in order; what was sent before the receiver was back is gone.
        assert got[:before] == list(range(before))
        assert got[before:] == list(range(3000 - len(got) + before, 3000))
        assert await one.marked("net/in/own") == []
        assert await one.stop() == await two.stop() == 0

    play(test())


def test_what_was_called_during_an_outage_is_sent_after_it(redis_server: RedisServer) -> None:
    async def test() -> None:
        redis_server.kill()
        one = Joined(redis_server.port)
        await one.connector.settled.wait()
        assert not one.connector.connected
        for number in range(100):
            one.connector.publish("net/in/n", Payload(number))
        assert await one.connector.stop(0.01) == 100
        one.connector.start()
        await asyncio.to_thread(redis_server.start)
        assert await one.stop() == 0

    play(test())


def test_what_has_no_answer_is_given_back_in_order(redis_server: RedisServer) -> None:
    count, filling = 5000, "x" * 2000

    async def test() -> None:
        one = await Joined(redis_server.port).connected()
        confirmed: list[int] = []
        for number in range(count):
            data = Payload([number, filling])
            one.connector.publish("net/in/n", data, lambda number=number: confirmed.append(number))  # type: ignore[misc]
        # Some were sent then, and have no answer yet.
        while len(one.connector.unsent) == count:
            await asyncio.sleep(0)
        left = one.connector.withdraw()
        assert [payload.data[0] for _, payload, _, _ in left] == list(range(len(confirmed), count)) and left
        await one.other.ping()
        # Whoever passes it on now tells; nobody else does.
        assert len(confirmed) == count - len(left)
        for _, _, confirm, _ in left:
            assert confirm is not None
            confirm()
        assert confirmed == list(range(count))
        assert await one.stop() == 0

    play(test())


def test_what_waits_is_bounded_and_room_is_announced(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MAX_WAITING", 4)

    async def test() -> None:
        redis_server.kill()
        one = Joined(redis_server.port)
        relieved = asyncio.Event()
        one.connector.relieved = relieved.set
        for number in range(4):
            assert one.connector.ready
            one.connector.publish("net/in/n", Payload(number))
        assert not one.connector.ready
        with pytest.raises(LimitError, match=r"^net: 4 events wait for redis://127\.0\.0\.1:\d+/0 already"):
            one.connector.publish("net/in/n", Payload(4))
        await asyncio.to_thread(redis_server.start)
        await relieved.wait()
        assert one.connector.ready
        assert await one.stop() == 0

    play(test())


def test_pausing_keeps_what_arrives_and_own_events_are_bounded(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_session, "MAX_ECHOES", 4)

    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a", "net/in/own").connected()
        one.connector.pause()
        # Paused between two messages: one more may be read.
        await one.other.publish("net/in/a", "0")
        for number in range(1, 1000):
            await one.other.publish("net/in/a", str(number))
        confirmed: list[int] = []
        for number in range(50):
            one.connector.publish("net/in/own", Payload(number), lambda number=number: confirmed.append(number))  # type: ignore[misc]
        await one.until(lambda: len(confirmed) >= 4)
        assert one.got in ([], [("net/in/a", 0)])
        assert len(confirmed) <= 5
        one.connector.resume()
        await one.until(lambda: len(confirmed) == 50)
        assert await one.marked("net/in/a") == list(range(1000))
        assert confirmed == list(range(50))
        assert await one.stop() == 0

    play(test())


def test_a_pause_outlives_an_outage(redis_server: RedisServer) -> None:
    async def test() -> None:
        redis_server.kill()
        one = Joined(redis_server.port, "net/in/a")
        one.connector.pause()
        await asyncio.to_thread(redis_server.start)
        while await one.other.publish("net/in/a", "1") == 0:
            await asyncio.sleep(0.002)
        assert not one.connector.connected
        one.connector.resume()
        assert await one.marked("net/in/a") == [1]
        await one.connected()
        assert await one.stop() == 0

    play(test())


def test_poison_reaches_the_network_as_what_is_no_json(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a").connected()
        bad: list[str] = []

        def deliver(topic: str, payload: Payload) -> None:
            try:
                one.deliver(topic, payload)
            except PeerError as error:
                bad.append(str(error))

        one.connector.deliver = deliver
        poison = [b"", b"{", b"\xff\xfe", b'{"a": "\xff"}', b'"\\\xff"', b"NaN,", b"[" * 100_000]
        poison.append(b'"' + b"x" * connector_module.MAX_RECEIVED_BYTES + b'"')
        for data in poison:
            await one.other.publish("net/in/a", data)
        assert await one.marked("net/in/a") == []
        assert len(bad) == len(poison)
        assert all(text.startswith("not JSON: ") for text in bad)
        assert one.connector.connected
        assert await one.stop() == 0

    play(test())


def test_a_receiver_that_fails_ends_a_connection_but_not_the_connector(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a").connected()
        one.connector.deliver = lambda topic, payload: [][1]
        await one.other.publish("net/in/a", "1")
        await one.until(lambda: not one.connector.connected)
        assert one.connector.state.endswith(": list index out of range")
        one.connector.deliver = one.deliver
        await one.connected()
        assert await one.marked("net/in/a") == []
        assert await one.stop() == 0

    play(test())


ACL = "user default on nopass ~* &net/in/* +@all\n"


def test_what_the_server_refuses_is_reported_and_harms_nothing_else(
    start_redis: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_redis(configuration=ACL)

    async def test() -> None:
        one = await Joined(server.port, "net/in/a", "net/hidden/b", "net/in/c").connected()
        assert await one.confirmed("net/hidden/x", 1) == 0
        assert await one.confirmed("net/in/a", 1) == 0
        for topic in ("net/in/a", "net/in/c"):
            assert await one.other.publish(topic, "2") == 1
        assert await one.marked("net/in/c") == [2, 2]
        assert await one.stop() == 0

    play(test())
    refused = [message for message in caplog.messages if "refused" in message]
    assert len(refused) == 2
    assert refused[0].startswith("net: the server refused to subscribe net/hidden/b: ")
    assert refused[1].startswith("net: the server refused net/hidden/x: ")


def test_a_connection_that_answers_no_more_is_given_up(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a", health_check_interval=0.2).connected()
        redis_server.freeze()
        await one.until(lambda: not one.connector.connected)
        assert one.connector.state.endswith(": no answer for 0.2 s")
        one.connector.publish("net/in/a", Payload(1))
        redis_server.thaw()
        await one.connected()
        assert await one.confirmed("net/in/a", 2) == 0
        assert await one.marked("net/in/a") == []
        assert await one.stop() == 0

    play(test())


def test_silence_is_no_outage(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a", health_check_interval=0.02).connected()
        one.connector.pause()
        await one.other.publish("net/in/a", "1")
        pings = "cmdstat_ping"
        while (await one.other.info("commandstats")).get(pings, {"calls": 0})["calls"] < 10:
            await asyncio.sleep(0.002)
        assert one.connector.connected
        one.connector.resume()
        assert await one.marked("net/in/a") == [1]
        assert await one.stop() == 0

    play(test())


def test_an_own_event_that_cannot_come_back_is_expected_no_more(start_redis: Start) -> None:
    """A proxy may lead two connections to two servers."""
    first, second = start_redis(), start_redis()

    async def test() -> None:
        there = await servers({"host": "127.0.0.1", "port": first.port}).connect()
        one = Joined(second.port, "net/in/a", start=False)
        pair = await one.connector._servers.connect()

        async def connect() -> Any:
            return there[0], pair[1]

        one.connector._servers.connect = connect  # type: ignore[method-assign]
        one.connector.start()
        await one.connected()
        for _ in range(3):
            assert await one.confirmed("net/in/a", "x") == 0
        # What comes from the other server is not ours, though it looks like it.
        session = one.connector._session
        await one.until(lambda: session is not None and not session._echoes)
        assert await one.other.publish("net/in/a", '"x"') == 1
        assert await one.marked("net/in/a") == ["x"]
        assert await one.stop() == 0
        await there[1].disconnect()
        await pair[0].disconnect()

    play(test())


def test_the_third_protocol_works_too(redis_server: RedisServer) -> None:
    async def test() -> None:
        one = await Joined(redis_server.port, "net/in/a", protocol=3, health_check_interval=0.05).connected()
        for number in range(100):
            await one.other.publish("net/in/a", str(number))
            assert await one.confirmed("net/in/a", number) == 0
        assert await one.marked("net/in/a") == list(range(100))
        assert await one.stop() == 0

    play(test())
