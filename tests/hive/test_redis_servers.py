"""Which server a configuration leads to: addresses, URLs, passwords, TLS, sentinels, clusters, and what is wrong."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis.asyncio
from redis_server import RedisServer

from eventhive.classic import Payload
from eventhive.cli.chaos.ports import free_port
from eventhive.connectors.redis import RedisConnector
from eventhive.connectors.redis_servers import UnusableInit, servers
from eventhive.settings import ConfigError

Start = Callable[..., RedisServer]
Init = dict[str, Any]
DEADLINE = 20


async def carries(init: Init, other: Init | None = None) -> str:
    """Send an event from one connector to another; returns the state of the first."""
    got: set[str] = set()
    receiver, sender = RedisConnector("net", other or init), RedisConnector("net", init)
    receiver.deliver = lambda topic, payload: got.add(payload.data)
    receiver.subscribe("net/in/a")
    try:
        async with asyncio.timeout(DEADLINE):
            receiver.start()
            while not receiver.connected:
                await asyncio.sleep(0.01)
            sender.start()
            # Its own data: a cluster may hand on what was published long before.
            data = uuid4().hex
            sender.publish("net/in/a", Payload(data))
            while data not in got:
                await asyncio.sleep(0.002)
        return sender.state
    finally:
        await sender.stop(1)
        await receiver.stop(1)


async def state(init: Init) -> str:
    """What a connector says after its first attempt."""
    one = RedisConnector("net", init)
    one.start()
    try:
        await asyncio.wait_for(one.settled.wait(), DEADLINE)
        return one.state
    finally:
        await one.stop(0)


def test_addresses_sockets_and_urls(start_redis: Start, tmp_path: Path) -> None:
    path = str(tmp_path / "redis.sock")
    port = start_redis("--unixsocket", path).port
    assert asyncio.run(carries({"port": port})) == f"connected to redis://localhost:{port}/0"
    assert asyncio.run(carries({"unix_socket_path": path}, {"port": port})) == f"connected to unix://{path}"
    assert asyncio.run(carries({"url": f"redis://127.0.0.1:{port}/3"})) == f"connected to redis://127.0.0.1:{port}/3"
    assert str(servers({"host": "::1", "ssl": True, "db": 2})) == "rediss://[::1]:6379/2"


def test_a_password_opens_and_is_never_shown(start_redis: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    port = start_redis("--requirepass", "t0p:s3cret").port
    right: list[Init] = [
        {"port": port, "password": "t0p:s3cret"},
        {"url": f"redis://default:t0p%3As3cret@localhost:{port}/0"},
    ]
    for init in right:
        assert asyncio.run(carries(init)) == f"connected to redis://localhost:{port}/0"
    wrong: list[Init] = [
        {"port": port, "password": "t0p:s3creT"},
        {"url": f"redis://default:t0p:s3creT@localhost:{port}"},
        {"port": port},
    ]
    for init in wrong:
        text = asyncio.run(state(init))
        assert text.startswith(f"waiting for redis://localhost:{port}/0: "), text
        assert "\n" not in text
        assert "password" in text or "uthentication required" in text
    assert "t0p" not in caplog.text


def test_why_there_is_no_connection() -> None:
    async def silent() -> str:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        text = await state({"host": "127.0.0.1", "port": port, "socket_timeout": 0.05})
        server.close()
        return text

    async def web() -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        text = await state({"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]})
        server.close()
        return text

    assert asyncio.run(silent()).endswith("/0: no answer")
    assert asyncio.run(web()).startswith("waiting for redis://127.0.0.1:")
    assert asyncio.run(state({"host": "no-such-host.invalid"})).startswith("waiting for redis://no-such-host.invalid")


def test_sentinels_name_the_master(start_redis: Start) -> None:
    master = start_redis()
    sentinel = start_redis("--sentinel", configuration=f"sentinel monitor mine 127.0.0.1 {master.port} 1\n")
    init: Init = {"sentinels": [("127.0.0.1", 1), ("127.0.0.1", sentinel.port)], "service_name": "mine"}
    assert asyncio.run(carries(init, {"port": master.port})) == "connected to the master 'mine'"
    unknown = asyncio.run(state({**init, "service_name": "other"}))
    assert unknown == "waiting for the master 'other': no sentinel that can be reached knows it"


async def cluster(nodes: list[RedisServer], bus: list[int]) -> None:
    """Make a cluster of two nodes; returns when both call it complete."""
    clients = [redis.asyncio.Redis(port=node.port) for node in nodes]
    async with asyncio.timeout(DEADLINE):
        await clients[0].execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
        await clients[1].execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
        await clients[0].execute_command("CLUSTER MEET", "127.0.0.1", nodes[1].port, bus[1])
        for client in clients:
            while (await client.execute_command("CLUSTER INFO"))["cluster_state"] != "ok":
                await asyncio.sleep(0.02)
            await client.aclose()


def test_a_cluster_is_joined_at_any_node(start_redis: Start) -> None:
    bus = [free_port(), free_port()]
    options = ("--cluster-enabled", "yes", "--cluster-config-file")
    nodes = [start_redis("--cluster-port", str(port), *options, f"{port}.nodes") for port in bus]

    async def test() -> None:
        await cluster(nodes, bus)
        init: Init = {"cluster": True, "host": "127.0.0.1", "port": nodes[0].port}
        text = f"connected to the cluster of 127.0.0.1:{nodes[0].port}"
        assert await carries(init, {"port": nodes[1].port}) == text
        several: Init = {"cluster": True, "startup_nodes": [("127.0.0.1", 1), ("127.0.0.1", nodes[1].port)]}
        assert await carries(several, {"port": nodes[0].port}) == f"connected to {servers(several)}"
        assert await carries({"cluster": True, "url": f"redis://127.0.0.1:{nodes[0].port}"}) == text

    asyncio.run(test())


@pytest.mark.parametrize(
    ("init", "key", "problem"),
    [
        ({"prot": 1}, "prot", "redis-py knows no such key"),
        ({"url": "redis://h", "ssl": True}, "ssl", "redis-py knows no such key beside 'url'"),
        ({"url": "redis://h?prot=1"}, "url", "redis-py knows no 'prot', which is in its query"),
        ({"url": "http://u:s3cret@h"}, "url", "no URL of a Redis server, such as rediss://user:password@host:6379/0"),
        ({"url": "redis://u:s3cret/x@h"}, "url", "no URL of a Redis server, such as rediss://"),
        ({"decode_responses": False}, "decode_responses", "EventHive decodes by itself"),
        ({"protocol": 4}, "", "redis-py does not take it: protocol must be either 2 or 3"),
        ({"sentinels": [("h", 1)]}, "", "the key 'service_name' is missing"),
        ({"sentinels": [("h", 1)], "service_name": "m", "prot": 1}, "prot", "redis-py knows no such key"),
        ({"cluster": True, "db": 1, "host": "h"}, "", "redis-py does not take it: Argument 'db' must be 0 or None"),
        ({"cluster": True, "unix_socket_path": "/s"}, "unix_socket_path", "redis-py knows no such key"),
        ({"cluster": True, "host": "h", "prot": 1}, "prot", "redis-py knows no such key"),
    ],
)
def test_unusable_keywords(init: Init, key: str, problem: str) -> None:
    with pytest.raises(UnusableInit) as caught:
        servers(init)
    assert str(caught.value).startswith(problem)
    assert caught.value.key == key
    assert "s3cret" not in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_keyword_is_named_with_file_line_and_key(here: Any) -> None:
    text = "\nconnectors:\n  net:\n    pubsub_type: redis\n    init:\n      prot: 1\n"
    with pytest.raises(ConfigError) as caught:
        here(text)
    expected = "configuration:6:7: connectors.net.init.prot: redis-py knows no such key (did you mean 'port'?)"
    assert str(caught.value) == expected


def test_the_missing_library_is_one_line(run: Any) -> None:
    output = run(
        """
        import sys
        sys.modules["redis"] = None
        import eventhive
        eventhive.CONFIG.read_string("connectors: {net: {pubsub_type: redis}}")
        try:
            eventhive.init()
        except eventhive.ConfigError as error:
            print(error)
        """
    ).end()
    expected = "connectors.net.init: Redis needs a library that is not installed: pip install 'eventhive[redis]'"
    assert output == f"configuration: {expected}"
