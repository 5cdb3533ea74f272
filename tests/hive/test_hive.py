"""Networks inside one process: participants, hooks, back-pressure, stopping."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import eventhive
from eventhive import dispatch, network
from eventhive.core.errors import LimitError, LocalError

MEMORY = "connectors: {net: {pubsub_type: memory, input_channel: here}, other: {pubsub_type: memory}}"
Wait = Callable[..., None]


class Participant:
    """Remembers what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []

    def deliver(self, topic: str, data: Any) -> None:
        self.got.append((topic, data))


def test_participants_get_what_others_publish(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    net = hive.hive.networks["net"]
    hooked: list[Any] = []
    hive.events.hook(hooked.append, "here/event")
    first, second = Participant(), Participant()
    hive.in_loop(net.subscribe, "net/here/event", first)
    hive.in_loop(net.subscribe, "net/here/event", second)
    assert hive.in_loop(net.publish, "net/here/event", {"n": 1}, first) is True
    wait_for(lambda: hooked == [{"n": 1}])
    assert (first.got, second.got) == ([], [("net/here/event", {"n": 1})])
    hive.in_loop(net.unsubscribe, "net/here/event", second)
    hive.in_loop(net.unsubscribe, "net/here/event", second)
    hive.in_loop(net.publish, "net/here/event", {"n": 2})
    assert first.got == [("net/here/event", {"n": 2})] and len(second.got) == 1


def test_own_calls_reach_participants_and_not_own_hooks(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    hooked: list[Any] = []
    hive.events.hook(hooked.append, "here/event")
    device = Participant()
    hive.in_loop(hive.hive.networks["net"].subscribe, "net/here/event", device)
    data = {"list": [1]}
    assert hive.events.call("net/here/event", data) == {"net/here/event": {"net": True}}
    data["list"].append(2)
    wait_for(lambda: device.got)
    assert device.got == [("net/here/event", {"list": [1]})]
    assert hooked == []


def test_channels_and_networks_are_whole_words(here: Any, wait_for: Wait) -> None:
    hive = here("connectors: {net: {pubsub_type: memory, input_channel: work}, net-2: {pubsub_type: memory}}")
    got: list[Any] = []
    for name in ("work/a", "worker/a", "a", "net-2/work/a"):
        hive.events.hook(lambda data, name=name: got.append((name, data)), name)
    one, two = hive.hive.networks["net"], hive.hive.networks["net-2"]
    hive.in_loop(one.publish, "net/worker/a", 1)
    hive.in_loop(two.publish, "net-2/work/a", 2)
    hive.in_loop(one.publish, "net/a", 3)
    hive.in_loop(one.publish, "net/work/a", 4)
    wait_for(lambda: got)
    assert got == [("work/a", 4)]


def test_a_catch_all_hook_sends_nothing(here: Any) -> None:
    hive = here(MEMORY)
    outside = Participant()
    hive.in_loop(hive.hive.networks["net"].subscribe, "local", outside)
    seen: list[Any] = []
    hive.events.append(["local", "here/event"])
    hive.events.hook(seen.append, "*")
    hive.events.call("local", "text")
    hive.events["here/event"]("more text")
    assert seen == ["text", "more text"]
    assert hive.in_loop(lambda: outside.got) == []


def test_hooks_run_in_order_in_one_thread_off_the_loop(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    seen: list[int] = []
    threads: set[str] = set()

    def note(data: int) -> None:
        seen.append(data)
        threads.add(threading.current_thread().name)

    hive.events.hook(note, "here/event")

    def flood() -> None:
        for number in range(20_000):
            hive.hive.networks["net"].publish("net/here/event", number)

    hive.in_loop(flood)
    wait_for(lambda: len(seen) == 20_000)
    assert seen == list(range(20_000))
    assert threads == {"eventhive-hooks"}


def test_hooks_that_are_behind_slow_senders_down(
    here: Any, wait_for: Wait, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatch, "CONGESTED", 10)
    monkeypatch.setattr(dispatch, "RELIEVED", 5)
    monkeypatch.setattr(dispatch, "MAX_WAITING", 20)
    hive = here(MEMORY)
    go = threading.Event()
    seen: list[int] = []
    hive.events.hook(lambda data: go.wait() and seen.append(data), "here/event")
    net = hive.hive.networks["net"]
    confirmed: list[int] = []

    def publish(number: int) -> bool:
        return bool(hive.in_loop(net.publish, "net/here/event", number, None, lambda: confirmed.append(number)))

    assert all(publish(number) for number in range(10))
    wait_for(lambda: publish(10) is False or hive.hive.congested)
    number = 11
    while hive.hive._runner.dispatcher.dropped < 3:
        assert publish(number) is False
        number += 1
    assert not [n for n in confirmed if n != 10]
    go.set()
    wait_for(lambda: not hive.hive.congested)
    wait_for(lambda: number - 1 in confirmed)
    assert "20 events wait for hooks, which are too slow for them" in caplog.text
    assert "hooks are behind: " in caplog.text
    assert publish(99) is True


def test_a_caller_is_held_up_while_the_carrier_is_behind_and_not_while_it_is_away(
    here: Any, monkeypatch: pytest.MonkeyPatch, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(network, "MAX_CALLS", 3)
    hive = here(f"connectors: {{net: {{pubsub_type: websocket, init: {{port: {port}}}}}}}")
    net = hive.hive.networks["net"]
    hold = threading.Event()
    hive.hive.loop.call_soon_threadsafe(hold.wait)
    taken = [net.call("net/a/b", number) for number in range(5)]
    assert taken == [True, True, True, False, False]
    assert caplog.text.count("net/a/b is dropped: 3 events wait already (waiting for ws://") == 1
    hold.set()
    memory = here(MEMORY).hive
    hold = threading.Event()
    memory.loop.call_soon_threadsafe(hold.wait)
    threading.Timer(0.1, hold.set).start()
    assert [memory.networks["net"].call("net/a/b", number) for number in range(8)] == [True] * 8


def test_data_of_calls(here: Any) -> None:
    hive = here(MEMORY)
    for data in (object(), b"", {1}, {"a": {"b": object()}}, {(1, 2): 3}):
        with pytest.raises(LocalError, match="data of an event must be JSON"):
            hive.events.call("net/a/b", data)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(LocalError, match="nested too deep"):
        hive.events.call("net/a/b", deep)
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(LocalError, match="Circular reference"):
        hive.events.call("net/a/b", ring)
    with pytest.raises(LimitError):
        hive.events.call("net/a/b", "x" * 1_100_000)
    for data in (None, 1, 2.5, "text", True, [1, None], {"a": {"b": []}}):
        assert hive.events.call("net/a/b", data) == {"net/a/b": {"net": True}}


def test_a_hook_may_call_and_stop(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    outside = Participant()
    hive.in_loop(hive.hive.networks["net"].subscribe, "net/there/answer", outside)

    def hook(data: Any) -> None:
        hive.events.call("net/there/answer", data)
        hive.hive.stop()

    hive.events.hook(hook, "here/event")
    hive.in_loop(hive.hive.networks["net"].publish, "net/here/event", 5)
    wait_for(lambda: not hive.hive._thread.is_alive())
    assert outside.got == [("net/there/answer", 5)]


def test_stop_lets_hooks_finish_and_sends_what_they_call(here: Any) -> None:
    hive = here(MEMORY)
    outside = Participant()
    hive.in_loop(hive.hive.networks["net"].subscribe, "net/there/answer", outside)
    started = threading.Event()

    def hook(data: Any) -> None:
        started.set()
        threading.Event().wait(0.1)
        hive.events.call("net/there/answer", data)

    hive.events.hook(hook, "here/event")
    hive.in_loop(hive.hive.networks["net"].publish, "net/here/event", 5)
    started.wait()
    hive.hive.stop()
    assert outside.got == [("net/there/answer", 5)]
    assert hive.hive.call("net/a/b", 1) is False


def test_a_guest_is_started_and_stopped_in_the_loop(here: Any) -> None:
    hive = here(MEMORY)
    seen: list[str] = []

    class Guest:
        async def start(self) -> None:
            seen.append("start in " + threading.current_thread().name)

        async def stop(self) -> None:
            seen.append("stop in " + threading.current_thread().name)

    hive.hive.attach(Guest())
    hive.hive.stop()
    assert seen == ["start in eventhive-loop", "stop in eventhive-loop"]


def test_failures_are_counted(here: Any, wait_for: Wait, caplog: pytest.LogCaptureFixture) -> None:
    hive = here(MEMORY)

    def broken(data: Any) -> None:
        raise KeyError(data)

    hive.events.hook(broken, "here/event")
    for _ in range(2):
        hive.in_loop(hive.hive.networks["net"].publish, "net/here/event", "name")
    wait_for(lambda: hive.events.failed == 2)
    assert "here/event: hook test_failures_are_counted.<locals>.broken raised KeyError: 'name'" in caplog.messages
    assert not any(record.exc_info for record in caplog.records if record.levelno == logging.ERROR)


def test_the_public_names() -> None:
    names = """BROADCASTERS WATERFALL HookException register reset
        CONFIG CONFIG_DICT CONNECTORS EVENTS SERVERS ConfigError
        ConnectorInitializationException EventHiveError
        LimitError LocalError NobodyHooks PeerError RemoteError RequestError RequestTimeout __version__ append events
        get_event_name hook init logger request request_async run_forever stop"""
    assert sorted(eventhive.__all__) == sorted(names.split())
    assert all(hasattr(eventhive, name) for name in eventhive.__all__)
    from eventhive.exceptions import ConnectorInitializationException
    from eventhive.logger import logger

    assert logger is eventhive.logger
    assert ConnectorInitializationException is eventhive.ConnectorInitializationException


def test_init_and_stop_again(port: int) -> None:
    eventhive.CONFIG.read_string("connectors: {again: {pubsub_type: memory, input_channel: in}}")
    got: list[Any] = []

    @eventhive.hook("in/event")
    def hooked(data: Any) -> None:
        got.append((data, eventhive.get_event_name()))

    try:
        for number in range(2):
            eventhive.init(required=["again"])
            with pytest.raises(LocalError, match="was called before"):
                eventhive.init()
            hive = eventhive._hive
            assert hive is not None

            async def publish(number: int = number, hive: Any = hive) -> None:
                hive.networks["again"].publish("again/in/event", number)

            hive.run_in_loop(publish())
            eventhive.stop()
            assert eventhive.CONNECTORS == {}
    finally:
        eventhive.stop()
        eventhive.EVENTS.clear()
        del eventhive.CONFIG_DICT["connectors"]["again"]
    assert got == [(0, "in/event"), (1, "in/event")]
    assert eventhive.get_event_name() is None
