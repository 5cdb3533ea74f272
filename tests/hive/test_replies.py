"""Requests and their replies: what travels, who may answer, and every way in which there is no answer."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import eventhive
from eventhive.core.errors import LocalError
from eventhive.exceptions import NobodyHooks, RemoteError, RequestError, RequestTimeout
from eventhive.replies import INBOX_BYTES, Question, Requests, is_inbox, marked, unmarked

KEY = "__eventhive__"
TOKEN = bytes(range(INBOX_BYTES))
INBOX = "net/_inbox-000102030405060708090a0b0c0d0e0f/reply"
Wait = Callable[..., None]

SERVING = """
connectors: {{net: {{pubsub_type: websocket, input_channel: queen, {more} init: {{port: {port}}}}}}}
servers: {{net: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}}}
"""
JOINING = "connectors: {{net: {{pubsub_type: websocket, input_channel: worker, {more} init: {{port: {port}}}}}}}"
MEMORY = "connectors: {net: {pubsub_type: memory, input_channel: worker}}"


@pytest.fixture(params=["", "remove_metadata: false,", "secret: s3cret,", "secret: s3cret, seal: strict,"])
def pair(request: Any, here: Any, port: int) -> tuple[Any, Any]:
    """A queen that serves the network, and a worker that hooks some events; plain, with metadata, and sealed."""
    queen = here(SERVING.format(port=port, more=request.param))
    worker = here(JOINING.format(port=port, more=request.param))
    return queen, worker


def hooked(pair: tuple[Any, Any], event: str, function: Callable[[Any], Any]) -> Any:
    """The queen, once the server knows that the worker hooks the event."""
    queen, worker = pair
    worker.events.hook(function, event)
    return known(queen, worker)


def known(queen: Any, worker: Any) -> Any:
    """Wait for an answer on the connection on which the worker has subscribed before."""
    queen.events.hook(lambda data: "pong", "queen/ping")
    assert worker.hive.request("net/queen/ping", None, 5).result(10) == "pong"
    return queen.hive


def fails(future: "Future[Any]") -> str:
    return str(future.exception(10))


@pytest.mark.parametrize("data", [None, {}, {"a": [1, 2.5, "é"]}, [1], "text", 0, False])
def test_the_hook_gets_the_data_and_the_caller_gets_the_result(pair: tuple[Any, Any], data: Any) -> None:
    queen = hooked(pair, "worker/echo", lambda data: {"got": data})
    got = queen.request("net/worker/echo", data, 5).result(10)["got"]
    if isinstance(data, dict):
        # Metadata reaches hooks, and nothing of the request.
        assert not {"request", "reply_to"} & set(got.pop(KEY, {}))
    assert got == data


def test_a_hook_that_raises(pair: tuple[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    def divide(data: Any) -> float:
        return 1 / data["by"]

    queen = hooked(pair, "worker/divide", divide)
    future = queen.request("net/worker/divide", {"by": 0}, 5)
    assert isinstance(future.exception(10), RemoteError)
    assert fails(future) == "net/worker/divide: ZeroDivisionError: division by zero"
    assert "worker/divide: a hook that was asked raised ZeroDivisionError" in caplog.text
    assert queen.request("net/worker/divide", {"by": 4}, 5).result(10) == 0.25


def test_a_result_that_cannot_travel(pair: tuple[Any, Any]) -> None:
    queen = hooked(pair, "worker/object", lambda data: object())
    assert "what the hook returned cannot travel" in fails(queen.request("net/worker/object", {}, 5))


def test_nobody_has_subscribed(pair: tuple[Any, Any]) -> None:
    queen, _ = pair
    future = queen.hive.request("net/worker/nothing", {}, 5)
    assert isinstance(future.exception(10), NobodyHooks)
    assert fails(future) == "net/worker/nothing: nobody on this network hooks it"


def test_a_worker_is_told_by_the_server_that_nobody_hooks(pair: tuple[Any, Any]) -> None:
    _, worker = pair
    assert isinstance(worker.hive.request("net/queen/nothing", {}, 5).exception(10), NobodyHooks)


def test_declared_but_not_hooked(here: Any, port: int) -> None:
    queen, worker = here(SERVING.format(port=port, more="")), here(JOINING.format(port=port, more=""))
    worker.events.append("worker/idle")
    known(queen, worker)
    future = queen.hive.request("net/worker/idle", {}, 0.3)
    assert isinstance(future.exception(10), NobodyHooks)
    assert fails(future) == "net/worker/idle: nobody who received it hooks it"


def test_no_reply_in_time(here: Any, port: int) -> None:
    release = threading.Event()
    pair = here(SERVING.format(port=port, more="")), here(JOINING.format(port=port, more=""))
    queen = hooked(pair, "worker/slow", lambda data: release.wait(10) and "late")
    future = queen.request("net/worker/slow", {}, 0.1)
    assert isinstance(future.exception(10), RequestTimeout)
    assert fails(future) == "net/worker/slow: no reply within 0.1 s"
    release.set()
    # The late answer belongs to nobody; the next one is its own.
    assert queen.request("net/worker/slow", {}, 5).result(10) == "late"


def test_no_connection(here: Any, port: int) -> None:
    lonely = here(JOINING.format(port=port, more=""))
    future = lonely.hive.request("net/queen/x", {}, 5)
    assert type(future.exception(10)) is RequestError
    assert fails(future).startswith(f"net/queen/x is not sent: waiting for ws://127.0.0.1:{port}/pubsub")


def test_stopping_ends_what_waits(here: Any, port: int) -> None:
    release = threading.Event()
    pair = here(SERVING.format(port=port, more="")), here(JOINING.format(port=port, more=""))
    queen = hooked(pair, "worker/slow", lambda data: release.wait(10))
    future = queen.request("net/worker/slow", {}, 60)
    queen.stop(1)
    release.set()
    assert fails(future) == "net/worker/slow: this process is stopping"


def test_the_first_result_of_several_hooks(here: Any, port: int) -> None:
    pair = here(SERVING.format(port=port, more="")), here(JOINING.format(port=port, more=""))
    pair[1].events.hook(lambda data: None, "worker/two")
    queen = hooked(pair, "worker/two", lambda data: 2)
    assert queen.request("net/worker/two", {}, 5).result(10) == 2


def test_requests_keep_their_place_among_calls(here: Any, port: int) -> None:
    pair = here(SERVING.format(port=port, more="")), here(JOINING.format(port=port, more=""))
    got: list[int] = []
    queen = hooked(pair, "worker/n", lambda data: got.append(data) or len(got))
    for number in range(3):
        queen.call("net/worker/n", number)
    assert queen.request("net/worker/n", 3, 5).result(10) == 4
    assert got == [0, 1, 2, 3]


def test_own_hooks_are_asked_only_where_own_events_are_wanted(here: Any) -> None:
    shy, open_ = here(MEMORY), here(MEMORY.replace("worker}", "worker, receive_own: true}"))
    for one in (shy, open_):
        one.events.hook(lambda data: "here", "worker/x")
    assert isinstance(shy.hive.request("net/worker/x", {}, 5).exception(10), NobodyHooks)
    assert open_.hive.request("net/worker/x", {}, 5).result(10) == "here"


def test_own_events_where_they_are_wanted(here: Any, wait_for: Wait) -> None:
    got: list[Any] = []
    one = here(MEMORY.replace("worker}", "worker, receive_own: true}"))
    one.events.hook(got.append, "worker/x")
    one.events.call("net/worker/x", {"n": 1})
    wait_for(lambda: got == [{"n": 1}])


def test_bad_input(here: Any) -> None:
    one = here(MEMORY)
    for event, data, timeout, why in (
        ("net/worker/x", object(), 5, "must be JSON"),
        ("net/worker/x", {}, 0, "above 0"),
        ("other/worker/x", {}, 5, "there is no connector 'other' (there are: net)"),
    ):
        with pytest.raises(LocalError) as error:
            one.hive.request(event, data, timeout)
        assert why in str(error.value)


def test_answers_go_to_inboxes_only() -> None:
    assert is_inbox(INBOX, "net")
    for topic in (INBOX.replace("net", "other", 1), "net/sensor-1/reset", INBOX + "/x", "net/" + INBOX, INBOX.upper()):
        assert not is_inbox(topic, "net")
    requests = Requests("net", KEY, TOKEN, lambda *args: None)
    assert requests.topic == INBOX
    for reply_to in ("net/sensor-1/reset", None, 5, "other/_inbox-" + "0" * 32 + "/reply"):
        assert requests.question({KEY: {"request": 1, "reply_to": reply_to}}, lambda *args: None) is None
    for data in ({}, {KEY: 1}, {KEY: {"request": True, "reply_to": INBOX}}, {KEY: {"reply_to": INBOX}}):
        assert requests.question(data, lambda *args: None) is None


@pytest.mark.parametrize("data", [{}, {"a": 1}, {"a": 1, KEY: {"id": "x", "time": 1.5}}, [1], None, "text"])
def test_marks_come_off_again(data: Any) -> None:
    before = repr(data)
    assert unmarked(marked(data, KEY, {"request": 1, "reply_to": INBOX}), KEY, ("request", "reply_to")) == data
    assert repr(data) == before


def test_answers_that_nobody_waits_for_or_that_are_malformed() -> None:
    timers: list[Any] = []

    class Timer:
        def cancel(self) -> None:
            timers.remove(self)

    def later(*args: Any) -> Timer:
        timers.append(Timer())
        return timers[-1]

    requests = Requests("net", KEY, TOKEN, later)
    got: list[Any] = []
    pending = requests.new("net/worker/x", {}, lambda value, error: got.append((value, error and str(error))))
    requests.wait(pending, 5)
    for data in (None, [], {}, {KEY: 1}, {KEY: {"reply": "1"}}, {KEY: {"reply": 2, "value": 1}}, {KEY: {}}):
        requests.deliver(INBOX, data)
    assert got == [] and len(timers) == 1
    requests.deliver(INBOX, {KEY: {"reply": 1, "error": "a\nb" + "x" * 500}})
    requests.deliver(INBOX, {KEY: {"reply": 1, "value": 1}})
    assert got == [(None, "net/worker/x: a b" + "x" * 197)] and timers == []


def test_the_public_functions(port: int) -> None:
    eventhive.EVENTS.append("worker/double")
    eventhive.EVENTS.hook(lambda data: data * 2, "worker/double")
    try:
        assert eventhive.request("worker/double", 21) == 42
        assert asyncio.run(eventhive.request_async("worker/double", 4)) == 8
        with pytest.raises(NobodyHooks, match="worker/none: nobody hooks it in this process"):
            eventhive.request("worker/none")
        with pytest.raises(LocalError, match=r"call eventhive\.init\(\) first"):
            eventhive.request("net/worker/double", 1)
        text = SERVING.format(port=port, more="receive_own: true,").replace("queen", "worker")
        eventhive.CONFIG.read_string(text)
        started = eventhive.init()
        assert started and started.up == ["net"] and not started.down
        assert started.servers == {"net": f"127.0.0.1:{port}"}
        assert eventhive.request("net/worker/double", 21) == 42
        assert asyncio.run(eventhive.request_async("net/worker/double", 4)) == 8
    finally:
        eventhive.stop()
        eventhive.EVENTS.clear()
        eventhive.CONFIG_DICT.clear()


def test_init_says_what_did_not_come_up(port: int) -> None:
    eventhive.CONFIG.read_string(JOINING.format(port=port, more=""))
    try:
        started = eventhive.init()
        assert not started and started.up == []
        assert started.down["net"].startswith(f"waiting for ws://127.0.0.1:{port}/pubsub: ")
    finally:
        eventhive.stop()
        eventhive.CONFIG_DICT.clear()


def test_a_question_may_be_answered_from_any_thread() -> None:
    sent: list[Any] = []
    question = Question({}, sent.append)
    thread = threading.Thread(target=question.answer, args=({"t": time.time() > 0},))
    thread.start()
    thread.join()
    question.fail("x" * 500)
    question.nobody()
    assert sent == [{"value": {"t": True}}, {"error": "x" * 200}, {"nobody": True}]


def test_the_wire_is_as_written_down() -> None:
    page = (Path(__file__).parents[2] / "docs" / "hive.md").read_text(encoding="utf-8")
    asked, answered = [json.loads(line) for line in page.splitlines() if line.startswith("{")]
    token = bytes.fromhex(asked[KEY]["reply_to"].split("-")[-1].removesuffix("/reply"))
    requests = Requests("my-hive", KEY, token, lambda *args: None)
    for _ in range(6):
        requests.new("my-hive/worker/x", None, lambda value, error: None)
    pending = requests.new("my-hive/worker/x", {"n": 1}, lambda value, error: None)
    assert requests.mark(pending, {"n": 1}) == asked
    sent: list[Any] = []
    question = requests.question(asked, lambda topic, members: sent.append((topic, {KEY: members})))
    assert question is not None and question.data == {"n": 1}
    question.answer({"done": True})
    assert sent == [(requests.topic, answered)]
