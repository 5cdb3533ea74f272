"""A broker of this process, and those who join it."""

import asyncio

from eventhive.connectors.memory import MemoryConnector
from eventhive.servers.broker import Broker

TOPIC = "my-hive/worker/a"


def test_who_is_alone_with_a_topic() -> None:
    async def run() -> None:
        broker = Broker()
        here, there, all_of_it = (MemoryConnector("my-hive", broker) for _ in range(3))
        assert here.alone(TOPIC)
        here.subscribe(TOPIC)
        there.subscribe("my-hive/worker/b")
        assert here.alone(TOPIC) and not there.alone(TOPIC)
        there.subscribe(TOPIC)
        assert not here.alone(TOPIC)
        there.unsubscribe(TOPIC)
        assert here.alone(TOPIC)
        all_of_it.subscribe_all()
        assert not here.alone(TOPIC) and all_of_it.alone("my-hive/worker/c")

    asyncio.run(run())
