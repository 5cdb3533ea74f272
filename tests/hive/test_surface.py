"""What programs of 0.5.0 and of `hooker` behind it rely on, beside networks: hooks, their order, results, scripts."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import eventhive
from eventhive.dispatch import SLOW_SECONDS, Dispatcher
from eventhive.eventlist import ProgramEvents, WaterfallEvents
from eventhive.exceptions import HookException

Wait = Callable[..., None]
MEMORY = "connectors: {net: {pubsub_type: memory, input_channel: here}}"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    eventhive.reset()
    yield
    eventhive.reset()


def test_hook_keeps_earlier_hooks_and_declares() -> None:
    @eventhive.hook("a")
    def first(data: Any) -> int:
        return 1

    @eventhive.hook(["a", "b"])
    def second(data: Any) -> int:
        return 2

    assert eventhive.EVENTS["a"]("x") == {first: 1, second: 2}
    assert eventhive.EVENTS.call("b", "x") == {"b": {second: 2}}
    assert eventhive.EVENTS.call("b", "x", expand=False) == {second: 2}
    with pytest.raises(KeyError):
        eventhive.EVENTS["nowhere"]


def test_register_help_and_reset() -> None:
    eventhive.append("a", help="what it is for")
    eventhive.register("a", len)
    assert eventhive.EVENTS.help == {"a": "what it is for"}
    assert eventhive.EVENTS["a"]("four") == {len: 4}
    eventhive.reset()
    assert eventhive.events() == [] and eventhive.EVENTS.help == {} and len(eventhive.EVENTS) == 0


def test_globs_of_hooks_and_calls() -> None:
    eventhive.append(["bee/work", "bee/rest", "wasp/work"])
    names: list[Any] = []
    eventhive.register("bee/*", lambda data: names.append(eventhive.get_event_name()))
    assert sorted(eventhive.EVENTS.call("*/work", 1)) == ["bee/work", "wasp/work"]
    assert names == ["bee/work"] and eventhive.get_event_name() is None
    assert eventhive.events("bee/*") == ["bee/rest", "bee/work"]


def test_a_name_that_looks_like_a_glob(caplog: pytest.LogCaptureFixture) -> None:
    eventhive.register("odd*", len, expand=False)
    assert eventhive.EVENTS.call("odd*", "abc", expand=False) == {len: 3}
    eventhive.register("nothing*", len)
    assert caplog.messages == ["len hooks nothing: no declared event matches 'nothing*'"]


def test_hooks_that_do_not_take_the_arguments_are_skipped(caplog: pytest.LogCaptureFixture) -> None:
    eventhive.register("a", lambda: "none")
    eventhive.register("a", len)
    for _ in range(2):
        assert eventhive.EVENTS["a"]("ab") == {len: 2}
    assert len(caplog.messages) == 1 and "is skipped: it does not take these arguments" in caplog.messages[0]
    assert eventhive.EVENTS.skipped >= 2


def test_results_of_the_hooks_before() -> None:
    def second(data: Any, __retvals__: Any) -> Any:
        return list(__retvals__.values()), __retvals__.last

    eventhive.register("a", len)
    eventhive.register("a", second)
    assert eventhive.EVENTS["a"]("ab")[second] == ([2], (len, 2))


def test_hooks_that_depend_on_others() -> None:
    order: list[str] = []

    def late(data: Any) -> None:
        order.append("late")

    def early(data: Any) -> None:
        order.append("early")

    early.__module__ = "basics"
    eventhive.register("a", late, dependencies="basics")
    with pytest.raises(HookException, match=r"a: hooks wait for hooks of other modules: .*late of basics"):
        eventhive.EVENTS["a"]("x")
    eventhive.register("a", early)
    eventhive.EVENTS["a"]("x")
    assert order == ["early", "late"]


def test_waterfall() -> None:
    eventhive.WATERFALL.append("water")
    eventhive.WATERFALL.hook(lambda a, b: (a + b, b), "water")
    eventhive.WATERFALL.hook(lambda a, b: a * b, "water")
    eventhive.WATERFALL.hook(str, "water")
    assert eventhive.WATERFALL["water"](2, 3) == "15"
    assert isinstance(eventhive.WATERFALL, WaterfallEvents)
    # It stays here, whatever its name.
    eventhive.WATERFALL.hook(lambda a: a + 1, "net/other/water")
    assert eventhive.WATERFALL["net/other/water"](1) == 2


def test_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from eventhive.scripts import Scripts

    plugin = "import eventhive\n@eventhive.hook('loaded')\ndef f(data): return data * 2\n"
    (tmp_path / "plugin_one.py").write_text(plugin)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKER_SCRIPTS", "broken.py, plugin_one.py, missing.py")
    Scripts().load()
    assert list(eventhive.EVENTS["loaded"](4).values()) == [8]
    why = [message.partition(": ")[2] for message in caplog.messages]
    assert why == ["broken.py: ZeroDivisionError: division by zero", "there is no module or file 'missing.py'"]


def test_async_hooks_called_here(caplog: pytest.LogCaptureFixture) -> None:
    async def double(data: int) -> int:
        await asyncio.sleep(0)
        return data * 2

    eventhive.register("a", double)
    assert eventhive.EVENTS["a"](4) == {double: 8}

    async def caller() -> Any:
        return await eventhive.EVENTS["a"](5)[double]

    assert asyncio.run(caller()) == 10


def test_requests_to_async_hooks_of_this_process() -> None:
    async def waits(data: float) -> float:
        await asyncio.sleep(data)
        return data

    eventhive.register("a", waits)

    async def caller() -> None:
        assert await eventhive.request_async("a", 0) == 0
        with pytest.raises(eventhive.RequestTimeout, match=r"a: no reply within 0\.01 s"):
            await eventhive.request_async("a", 1, 0.01)

    asyncio.run(caller())
    assert eventhive.request("a", 0) == 0


def test_async_hooks_of_events_that_arrive(here: Any, wait_for: Wait, caplog: pytest.LogCaptureFixture) -> None:
    hive = here(MEMORY)
    got: list[Any] = []
    gate = threading.Event()

    async def waits(data: Any) -> None:
        await asyncio.to_thread(gate.wait, 10)
        got.append(("async", data))
        if data == 2:
            raise ValueError("two")

    hive.events.hook(waits, "here/slow")
    hive.events.hook(lambda data: got.append(("after", data)), "here/slow")
    hive.events.hook(lambda data: got.append(("other", data)), "here/other")
    net = hive.hive.networks["net"]
    for number in (1, 2):
        hive.in_loop(net.publish, "net/here/slow", number)
    hive.in_loop(net.publish, "net/here/other", 3)
    wait_for(lambda: ("other", 3) in got)
    assert len(got) == 1
    gate.set()
    wait_for(lambda: len(got) == 5)
    for number in (1, 2):
        assert got.index(("async", number)) < got.index(("after", number))
    wait_for(lambda: hive.events.failed == 1)
    assert any("raised ValueError: two" in message for message in caplog.messages)


def test_events_of_one_name_wait_for_its_coroutine(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    got: list[Any] = []
    gate = threading.Event()

    async def waits(data: Any) -> None:
        got.append(("begins", data))
        if data == 0:
            await asyncio.to_thread(gate.wait, 10)
        elif data % 2:
            await asyncio.sleep(0)
        got.append(("ends", data))

    hive.events.hook(waits, "here/slow")
    hive.events.hook(lambda data: got.append(("other", data)), "here/other")
    net = hive.hive.networks["net"]
    for number in range(50):
        hive.in_loop(net.publish, "net/here/slow", number)
    hive.in_loop(net.publish, "net/here/other", 1)
    wait_for(lambda: ("other", 1) in got)
    assert got == [("begins", 0), ("other", 1)]
    assert hive.hive._runner.dispatcher.waiting == 50
    threading.Event().wait(SLOW_SECONDS)
    gate.set()
    wait_for(lambda: len(got) == 101)
    got.remove(("other", 1))
    assert got == [(what, number) for number in range(50) for what in ("begins", "ends")]
    wait_for(lambda: hive.hive._runner.dispatcher.waiting == 0)
    assert hive.events.slow == 1


def test_stopping_waits_for_coroutines(here: Any) -> None:
    hive = here(MEMORY)
    got: list[Any] = []

    async def waits(data: Any) -> None:
        await asyncio.sleep(0.05)
        got.append(data)

    hive.events.hook(waits, "here/slow")
    hive.events.hook(lambda data: got.append(-data), "here/slow")
    for number in (1, 2):
        hive.in_loop(hive.hive.networks["net"].publish, "net/here/slow", number)
    hive.hive.stop()
    assert got == [1, -1, 2, -2]


def test_a_coroutine_that_never_ends_does_not_keep_a_hive(here: Any, caplog: pytest.LogCaptureFixture) -> None:
    hive = here(MEMORY)
    began = threading.Event()

    async def never(data: Any) -> None:
        began.set()
        await asyncio.Event().wait()

    hive.events.hook(never, "here/never")
    hive.in_loop(hive.hive.networks["net"].publish, "net/here/never", 1)
    assert began.wait(10)
    hive.hive.stop(0.2)
    assert "1 received events were not, or not yet, dealt with by hooks" in caplog.messages


def test_hooks_of_a_waterfall_by_decorator_and_what_register_returns() -> None:
    try:
        eventhive.WATERFALL.append("grow")

        @eventhive.hook("grow", event_list=eventhive.WATERFALL)
        def grow(number: int) -> int:
            return number + 1

        assert eventhive.WATERFALL.call("grow", 1)["grow"] == 2
        assert "grow" not in eventhive.EVENTS
        assert eventhive.register("shrink", grow) is grow
    finally:
        eventhive.reset()


def test_a_slow_hook_holds_up_its_own_event_only(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    got: list[Any] = []
    gate = threading.Event()
    hive.events.hook(lambda data: gate.wait(10) and got.append(("slow", data)), "here/slow")
    hive.events.hook(lambda data: got.append(("quick", data)), "here/quick")
    net = hive.hive.networks["net"]
    for number in range(3):
        hive.in_loop(net.publish, "net/here/slow", number)
        hive.in_loop(net.publish, "net/here/quick", number)
    wait_for(lambda: [data for kind, data in got if kind == "quick"] == [0, 1, 2])
    assert [kind for kind, _ in got] == ["quick"] * 3
    assert hive.events.slow == 1
    gate.set()
    wait_for(lambda: len(got) == 6)
    assert [data for kind, data in got if kind == "slow"] == [0, 1, 2]
    # Its thread ends, and the order is that of one thread again.
    dispatcher = hive.hive._runner.dispatcher
    wait_for(lambda: not dispatcher._lanes and len(dispatcher._threads) == 1)
    assert dispatcher.waiting == 0


def test_slow_hooks_of_many_names_keep_each_order(wait_for: Wait) -> None:
    names = [f"e{number}" for number in range(5)]
    got: dict[str, list[int]] = {name: [] for name in names}
    gates = {name: threading.Event() for name in names[:3]}
    slow: list[str] = []

    def run(event: str, data: int) -> None:
        if event in gates:
            gates[event].wait(10)
        got[event].append(data)

    async def play() -> None:
        dispatcher = Dispatcher(run, lambda congested: None, slow.append)
        for number in range(200):
            for name in names:
                dispatcher.put(name, number)
        while len(got["e3"]) + len(got["e4"]) < 400:
            await asyncio.sleep(0.005)
        assert sorted(slow) == sorted(gates) and not any(got[name] for name in gates)
        for gate in gates.values():
            gate.set()
        dispatcher.stop()
        assert await dispatcher.wait(10)
        assert dispatcher.waiting == 0

    asyncio.run(play())
    assert got == {name: list(range(200)) for name in names}


def test_who_asks_is_told_when_all_before_it_were_run_but_for_slow_hooks(wait_for: Wait) -> None:
    got: list[str] = []
    gate = threading.Event()

    def run(event: str, data: Any) -> None:
        if event == "slow":
            gate.wait(10)
        got.append(event)

    async def play() -> None:
        dispatcher = Dispatcher(run, lambda congested: None)
        told = asyncio.Event()
        dispatcher.put("a", 1)
        dispatcher.put("slow", 1)
        dispatcher.put("b", 1)
        dispatcher.when_run(told.set)
        await asyncio.wait_for(told.wait(), 10)
        assert got == ["a", "b"] and dispatcher.waiting == 1
        gate.set()
        dispatcher.stop()
        assert await dispatcher.wait(10)
        assert got == ["a", "b", "slow"] and dispatcher.waiting == 0

    asyncio.run(play())


def test_events_that_are_forgotten_do_not_arrive(here: Any, wait_for: Wait) -> None:
    hive = here(MEMORY)
    got: list[Any] = []
    hive.events.hook(got.append, "here/a")
    net = hive.hive.networks["net"]
    wait_for(lambda: "net/here/a" in net._participants)
    hive.events.clear()
    wait_for(lambda: "net/here/a" not in net._participants)
    hive.in_loop(net.publish, "net/here/a", 1)
    assert got == []


def test_names() -> None:
    events = ProgramEvents()
    for name in ("", "a//b", "/a", "a/", "x" * 257, "a\n", None, 5):
        with pytest.raises(eventhive.LocalError):
            events.append(name)  # type: ignore[arg-type]
    events.append(["with space", "x" * 256])
    assert len(events) == 2


def test_scripts_of_a_program_that_only_receives(run: Callable[..., Any], tmp_path: Path) -> None:
    plugin = "import eventhive\n@eventhive.hook('here/a')\ndef f(data): pass\n"
    (tmp_path / "plugin_two.py").write_text(plugin)
    program = """
        import eventhive
        eventhive.CONFIG.read_string("connectors: {net: {pubsub_type: memory, input_channel: here}}")
        eventhive.init()
        print(eventhive.events())
        eventhive.stop()
    """
    assert run(program, HOOKER_SCRIPTS="plugin_two").end() == "['here/a']"
