"""One test for each fault of EventHive 0.5.0 in networks and hooks, so that none of them comes back.

Those that are not here stand beside what they belong to: 1, secrets of the environment, in test_secret.py and
test_secret_processes.py; 7, Redis, in test_redis.py (poison) and test_redis_processes.py (raising hooks, an idle
worker); 9, processes that stay, in test_start_methods.py; 12, unsealed and sealed messages where the other kind is
due, in test_sealed_network.py; 13, the command line, in tests/cli/test_classic.py; 14, who may come in, in
test_access.py. What 6 says of order and of an exit after a call is in test_processes.py.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

import eventhive

Wait = Callable[..., None]
TWO = "connectors: {worker-net: {pubsub_type: memory, input_channel: worker}, other: {pubsub_type: memory}}"


class Outside:
    """Somebody else on a network."""

    def __init__(self, hive: Any, network: str, *topics: str):
        self.got: list[tuple[str, Any]] = []
        for topic in topics:
            hive.in_loop(hive.hive.networks[network].subscribe, topic, self)

    def deliver(self, topic: str, data: Any) -> None:
        self.got.append((topic, data))


def test_fault_2_an_event_is_published_once_and_on_its_own_network(here: Any, wait_for: Wait) -> None:
    hive = here(TWO)
    one = Outside(hive, "worker-net", "worker-net/a/b")
    two = Outside(hive, "other", "other/a/b")
    for number in range(3):
        hive.events.call("worker-net/a/b", number)
        hive.events.call("other/a/b", -number)
    wait_for(lambda: len(one.got) >= 3 and len(two.got) >= 3)
    assert one.got == [("worker-net/a/b", number) for number in range(3)]
    assert two.got == [("other/a/b", -number) for number in range(3)]


def test_fault_3_events_stay_where_they_belong_and_late_ones_work(here: Any, wait_for: Wait) -> None:
    hive = here(TWO)
    one = Outside(hive, "worker-net", "worker-net/a/b", "local", "worker/x")
    two = Outside(hive, "other", "worker-net/a/b", "other/a/b")
    seen: list[Any] = []
    hive.events.append(["local", "worker/x"])
    hive.events.hook(seen.append, "*")
    assert list(hive.events["local"]("text").values()) == [None]
    hive.events.call("worker-net/a/b", 1)
    hive.events.call("other/a/b", 2)
    wait_for(lambda: one.got and two.got)
    assert (one.got, two.got, seen) == ([("worker-net/a/b", 1)], [("other/a/b", 2)], ["text"])


def test_fault_4_a_channel_is_no_prefix_of_a_network(here: Any, wait_for: Wait) -> None:
    hive = here(TWO)
    outside = Outside(hive, "worker-net", "worker-net/queen/event")
    hive.events.call("worker-net/queen/event", 1)
    wait_for(lambda: outside.got == [("worker-net/queen/event", 1)])


@pytest.mark.parametrize("more", ["", ", secret: a secret"])
def test_fault_5_the_dict_of_the_caller_is_left_alone(here: Any, wait_for: Wait, more: str) -> None:
    hive = here(f"connectors: {{net: {{pubsub_type: memory, remove_metadata: false{more}}}}}")
    outside = Outside(hive, "net", "net/a/b")
    data = {"a": 1}
    for _ in range(2):
        hive.events.call("net/a/b", data)
    wait_for(lambda: len(outside.got) == 2)
    assert data == {"a": 1}


def held() -> tuple[int, int]:
    """Threads and descriptors of this process."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted in /proc, which is not here")
@pytest.mark.parametrize("more", ["", ", wire: classic"])
def test_fault_6_a_publish_costs_no_thread_and_no_descriptor(here: Any, wait_for: Wait, port: int, more: str) -> None:
    init = f"init: {{port: {port}{more}}}"
    server = f"servers: {{net: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}}}"
    worker = here(f"connectors: {{net: {{pubsub_type: websocket, input_channel: worker, {init}}}}}\n{server}")
    queen = here(f"connectors: {{net: {{pubsub_type: websocket, {init}}}}}")
    got: list[int] = []
    worker.events.hook(got.append, "worker/n")
    queen.events.call("net/worker/n", -1)
    wait_for(lambda: got == [-1])
    before = held()
    for number in range(1500):
        queen.events.call("net/worker/n", number)
    wait_for(lambda: len(got) == 1501)
    assert got[1:] == list(range(1500))
    assert held() == before


def test_fault_8_a_slow_hook_blocks_neither_its_connection_nor_the_publisher(
    here: Any, wait_for: Wait, port: int
) -> None:
    address = f"init: {{port: {port}}}"
    server = f"servers: {{net: {{pubsub_type: websocket, create: always, {address}}}}}"
    worker = here(f"connectors: {{net: {{pubsub_type: websocket, input_channel: worker, {address}}}}}\n{server}")
    queen = here(f"connectors: {{net: {{pubsub_type: websocket, input_channel: queen, {address}}}}}")
    release, began = threading.Event(), threading.Event()
    got: list[str] = []

    def slow(data: Any) -> None:
        began.set()
        release.wait(20)
        got.append("slow")

    worker.events.hook(slow, "worker/slow")
    worker.events.hook(lambda data: worker.events.call("net/queen/answer", data), "worker/fast")
    queen.events.hook(got.append, "queen/answer")
    queen.events.call("net/worker/slow", None)
    wait_for(began.is_set)
    # Both ways, while the hook still runs.
    queen.events.call("net/worker/fast", "fast")
    wait_for(lambda: got == ["fast"])
    release.set()
    wait_for(lambda: got == ["fast", "slow"])


def test_fault_10_hooks_are_kept_declared_registered_and_reset() -> None:
    try:
        eventhive.hook(["fault/a", "fault/b"])(str)
        eventhive.hook(["fault/a"], expand=False)(repr)
        eventhive.register("fault/a", len, expand=False)
        assert eventhive.EVENTS["fault/a"]("x") == {str: "x", repr: "'x'", len: 1}
        eventhive.reset()
        assert eventhive.events("fault/*") == []
    finally:
        eventhive.reset()


@pytest.mark.parametrize(
    "text, error",
    [
        ("connectors: {net: {input_channel: a}}", "1:14: connectors.net: the key 'pubsub_type' is missing"),
        ("servers: {net: {pubsub_type: fastapi, create: always, broadcast: maybe}}", "1:55: servers.net.broadcast: "),
    ],
)
def test_fault_11_a_configuration_error_names_its_place(text: str, error: str) -> None:
    from eventhive.config import ConfigError, Settings, build

    settings = Settings()
    settings.read_string(text)
    with pytest.raises(ConfigError) as caught:
        build(settings)
    assert str(caught.value).startswith(f"configuration:{error}")


def test_fault_11_empty_sections_and_false_in_quotes() -> None:
    from eventhive.config import Settings, build

    settings = Settings()
    settings.read_string("connectors:\nservers: {net: {pubsub_type: fastapi, create: always, broadcast: 'false'}}")
    config = build(settings)
    assert config.connectors == {}
    assert not config.servers["net"].broadcast
