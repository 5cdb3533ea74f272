"""Sealed events over a real Redis server: what is captured there cannot be sent again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis_server import RedisServer

from eventhive.seals import base

HIVE = "connectors: {{net: {{pubsub_type: redis, input_channel: {}, init: {{host: 127.0.0.1, port: {}}}{}}}}}"
SEALS = [", secret: s3cr3t, remove_metadata: false", ", secret: s3cr3t, seal: strict"]


@pytest.fixture
def captured(redis_server: RedisServer) -> Iterator[Callable[[], str]]:
    """The data of the next event on the server, as somebody sees it who has no secret."""
    with redis.Redis(port=redis_server.port) as client, client.pubsub(ignore_subscribe_messages=True) as heard:
        heard.psubscribe("*")
        heard.get_message(timeout=5)

        def read() -> str:
            while (message := heard.get_message(timeout=5)) is None:
                pass
            return str(message["data"].decode())

        yield read


@pytest.mark.parametrize("more", SEALS)
def test_what_is_captured_cannot_be_sent_again(
    here: Any, wait_for: Any, redis_server: RedisServer, captured: Callable[[], str], more: str
) -> None:
    queen, worker = (here(HIVE.format(channel, redis_server.port, more)) for channel in ("queen", "worker"))
    got: list[Any] = []
    for name in ("worker/action", "worker/other"):
        worker.events.hook(got.append, name)
    net = worker.hive.networks["net"]
    wait_for(lambda: net.connector.connected and queen.hive.networks["net"].connector.connected)
    with redis.Redis(port=redis_server.port) as client:
        wait_for(lambda: all(count for _, count in client.pubsub_numsub("net/worker/action", "net/worker/other")))
        client.publish("net/worker/action", "{}")
        wait_for(lambda: net.sealing.drops.counts.get(base.NOT_SEALED) == 1)
        queen.events.call("net/worker/action", {"on": True})
        while base.STRICT_MEMBER not in (text := captured()) and "iv" not in text:
            pass
        assert "on" not in json.loads(text)
        client.publish("net/worker/action", text)
        client.publish("net/worker/other", text)
    other = base.OTHER_NAME if "remove" in more else base.NOT_AUTHENTIC
    wait_for(lambda: net.sealing.drops.counts.get(base.REPLAYED) and net.sealing.drops.counts.get(other))
    queen.events.call("net/worker/action", {"on": False})
    wait_for(lambda: len(got) == 2)
    assert [data["on"] for data in got] == [True, False]
