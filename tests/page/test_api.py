"""The JSON of the page: of a device that runs MicroPython, and of what no device should do."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from boards import EVENT
from pages import PagePlace

from eventhive.device.tools import micropython
from eventhive.page import stream
from eventhive.page.history import MAX_DEVICES, MAX_NAMES, MAX_NUMBERS, POINTS, History
from eventhive.page.notes import Notes
from eventhive.page.server import BODY_BYTES, Page
from eventhive.page.shown import SHOWN_CHARS, shown, shown_text
from eventhive.page.tail import KEPT, MAX_READERS, QUEUED, Filter, Tail
from eventhive.websocket import serve

needs_board = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

# A board whose hooks answer, raise and never end.
BOARD = """
import asyncio, json, sys, eventhive
@eventhive.hook("s1/double")
def double(data): return {"twice": 2 * data["n"]}
@eventhive.hook("s1/fails")
def fails(data): raise ValueError("<b>no</b>")
@eventhive.hook("s1/never")
async def never(data): await asyncio.sleep(3600)
async def commands():
    lines = asyncio.StreamReader(sys.stdin)
    while True:
        line = await lines.readline()
        if not line:
            break
        eventhive.EVENTS.call(*json.loads(line))
eventhive.init()
asyncio.run(eventhive.run(commands()))
"""

SET = "my-hive/s1/"


@needs_board
def test_a_device(boards_page: PagePlace) -> None:
    page, place = boards_page.start("queen/event"), boards_page.place
    settings = place.settings("s1", status=60)
    with page.events("?device=s1") as events:
        board = place.board(settings, program=BOARD)
        board.expect("link up")
        board.tell(json.dumps([EVENT, {"celsius": 21.5, "where": "<script>alert(1)</script>"}]))
        seen = next(events)
        assert seen["data"]["name"] == EVENT and seen["data"]["way"] == "up" and seen["data"]["device"] == "s1"
        assert json.loads(seen["data"]["text"]) == {"celsius": 21.5, "where": "<script>alert(1)</script>"}
        page.until("/api/devices/s1", lambda one: f"{SET}never" in one["hooks"])
        asked = page.post("s1", {"event": f"{SET}double", "data": {"n": 21}})
        assert (asked.status, asked.json) == (200, {"value": {"twice": 42}})
        assert next(events)["data"]["way"] == "down"
        page.hub.call(f"{SET}double", {"n": 1})
        command = next(events)["data"]
        assert (command["way"], command["name"], json.loads(command["text"])) == ("down", f"{SET}double", {"n": 1})
    with page.events("", Last_Event_ID=seen["id"]) as events:
        assert next(events)["data"]["name"] == f"{SET}double"
    state = page.until("/api/state", lambda one: one["devices"][0]["reported"])
    [device] = state["devices"]
    assert (device["online"], device["link"], device["events"]) == (True, "websocket", 1)
    assert device["reported"]["heap"] > 0 and device["reported"]["version"]
    assert (state["known"], state["online"], state["found"]) == (1, 1, 1)
    assert state["networks"]["my-hive"]["connected"] and state["gateway"]["ready"]
    assert page.bearer("/api/state?filter=S1").json["found"] == 1
    assert page.bearer("/api/state?filter=other").json["devices"] == []
    detail = page.bearer("/api/devices/s1").json
    assert detail["publish"] == ["my-hive/*/*"] and detail["receive"] == ["s1/*"] and detail["keygen"] == 0
    assert 0 <= detail["now"] - detail["key_since"] < 60
    value = detail["values"][EVENT]
    assert value["count"] == 1 and value["numbers"]["celsius"][0][1] == 21.5
    text = page.bearer("/metrics").text
    assert 'eventhive_device_event_seconds_count{device="s1"} 1\n' in text
    assert 'eventhive_network_event_seconds_count{network="my-hive"} 1\n' in text
    for key in (settings["key"], page.token):
        assert key not in json.dumps([state, detail]) and key not in text

    failed = page.post("s1", {"event": f"{SET}fails"})
    assert failed.status == 502 and failed.json["error"].endswith("ValueError: <b>no</b>")
    late = page.post("s1", {"event": f"{SET}never", "timeout": 0.1})
    assert (late.status, late.json["error"]) == (504, f"{SET}never: no reply within 0.1 s")
    assert page.post("s1", {"event": f"{SET}unknown"}).status == 404
    assert page.post("s2", {"event": f"{SET}double"}).status == 404
    board.kill()
    page.until("/api/state", lambda one: one["online"] == 0)
    offline = page.post("s1", {"event": f"{SET}double", "data": {"n": 1}})
    assert offline.status == 502 and "'s1' is offline: it was not asked" in offline.json["error"]


def test_requests_that_are_none(page: PagePlace) -> None:
    page.start()
    for body, problem in (
        ("", "not JSON"),
        ("[" * 10_000, "not JSON"),
        ("[]", '"event"'),
        ('{"event": 1}', '"event"'),
        ('{"event": "a", "timeout": 0}', '"timeout"'),
        ('{"event": "a", "timeout": true}', '"timeout"'),
        ('{"event": "a", "timeout": 1e9}', '"timeout"'),
    ):
        answer = page.post("s1", body)
        assert answer.status == 400 and problem in answer.json["error"]
    assert page.post("s1", '"' + "x" * BODY_BYTES + '"').status == 413
    assert page.bearer("/api/devices/..%2f..%2fgateway.keys").status == 404
    assert page.bearer("/static/..%2f..%2flogin.py").status == 404
    assert page.ask("/api/devices/s1/request", "POST", "{}").status == 401


class Source:
    """A gateway without devices."""

    def pulse(self) -> Iterator[Any]:
        return iter(())


class Served:
    """A page in this process."""

    def __init__(self, folder: Path):
        access = SimpleNamespace(cert=None)
        config = SimpleNamespace(login=False, local=True, port=0, access=access, token=folder / "token")
        self.notes = Notes()
        self.page = Page(config, Source(), self.notes, lambda make, admits: serve(make, "127.0.0.1", 0, None, admits))  # type: ignore[arg-type]

    async def __aenter__(self) -> "Served":
        await self.page.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.page.stop()

    async def look(self, receive_bytes: int = 0) -> socket.socket:
        """Look on, without reading anything but the head."""
        loop = asyncio.get_running_loop()
        host, _, port = self.page.address.removeprefix("http://").rpartition(":")
        client = socket.socket()
        if receive_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.setblocking(False)
        await loop.sock_connect(client, (host, int(port)))
        await loop.sock_sendall(client, b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await loop.sock_recv(client, 12)
        return client


def test_a_slow_reader_is_dropped_and_the_others_see_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "WRITE_S", 0.3)

    async def watched() -> None:
        async with Served(tmp_path) as served:
            loop = asyncio.get_running_loop()
            slow, good = await served.look(4096), await served.look()
            tail, seen, last = served.notes.tail, b"", 0
            assert len(tail.readers) == 2
            deadline = loop.time() + 30
            while tail.dropped == 0 or b"event-%d-end" % last not in seen:
                assert loop.time() < deadline
                if tail.dropped == 0:
                    last += 1
                    served.notes.arrived("s1", "my-hive/queen/event", f"event-{last}-end" + "x" * 900, 0.0)
                try:
                    seen += await asyncio.wait_for(loop.sock_recv(good, 1 << 20), 0.001)
                except TimeoutError:
                    continue
            assert tail.dropped == 1 and len(tail.readers) == 1
            assert all(len(one._queue) <= QUEUED for one in tail.readers)
            slow.close()
            good.close()

    asyncio.run(watched())


def test_who_looks_on_is_bounded(tmp_path: Path) -> None:
    async def watched() -> None:
        async with Served(tmp_path) as served:
            loop = asyncio.get_running_loop()
            clients = [await served.look() for _ in range(MAX_READERS)]
            assert len(served.notes.tail.readers) == MAX_READERS
            refused = await served.look()
            assert (await loop.sock_recv(refused, 4096)).endswith(b'close a window"}')
            for client in (*clients, refused):
                client.close()
            while served.notes.tail.readers:
                # Each notices with what it is sent next.
                served.notes.arrived("s1", "n", 1, 0.0)
                await asyncio.wait([asyncio.ensure_future(loop.run_in_executor(None, int))])
            assert served.notes.tail.dropped == 0

    asyncio.run(asyncio.wait_for(watched(), 30))


class TestPure:
    def test_a_queue_is_bounded(self) -> None:
        tail, woken = Tail(), []
        reader = tail.open(Filter(), 0, lambda: woken.append(1))
        assert reader
        for number in range(QUEUED + 7):
            tail.note("up", "s1", "n", number, 0.0)
        events, skipped = reader.take()
        assert ([one.data for one in events], skipped, len(woken)) == (list(range(QUEUED)), 7, 1)
        assert reader.take() == ([], 0)

    def test_what_was_before(self) -> None:
        tail = Tail()
        for number in range(KEPT + 5):
            tail.note("up", "s1", "n", number, 0.0)
        reader = tail.open(Filter(), KEPT, lambda: None)
        assert reader and [one.number for one in reader.take()[0]] == [KEPT + 1, KEPT + 2, KEPT + 3, KEPT + 4, KEPT + 5]
        # That number is of an earlier gateway.
        reader = tail.open(Filter(), 10**9, lambda: None)
        assert reader and len(reader.take()[0]) == KEPT

    def test_filters(self) -> None:
        tail = Tail()
        one = tail.open(Filter("s1", "*/temp*"), 0, lambda: None)
        assert one
        for device, name in (("s1", "h/q/temperature"), ("s2", "h/q/temperature"), ("s1", "h/q/light")):
            tail.note("up", device, name, None, 0.0)
        assert [(event.device, event.name) for event in one.take()[0]] == [("s1", "h/q/temperature")]

    def test_long_data_is_cut(self) -> None:
        tail = Tail()
        one = tail.open(Filter(), 0, lambda: None)
        assert one
        tail.note("up", "s1", "n", "x" * 5000, 0.0)
        text = one.take()[0][0].shown()["text"]
        assert len(text) < SHOWN_CHARS + 30 and text.endswith("… (5002 characters)")

    def test_what_cannot_be_seen_is_escaped(self) -> None:
        assert shown({"a": "\u202eb\u200b\n\U000e0041é"}) == '{"a":"\\u202eb\\u200b\\n\\udb40\\udc41é"}'
        assert shown_text("a\x1b[31m\r\n") == "a\\u001b[31m\\r\\n"

    def test_history_is_bounded_for_each_device(self) -> None:
        history = History()
        history.note("good", "n", 1, 0.0)
        for number in range(10 * MAX_NAMES):
            history.note("bad", f"n{number}", {str(key): number for key in range(50)}, float(number))
        assert len(history.of("bad")) == MAX_NAMES
        assert {len(one.numbers) for one in history.of("bad").values()} == {MAX_NUMBERS}
        assert history.of("good")["n"].data == 1
        for number in range(MAX_DEVICES):
            history.note(f"d{number}", "n", 1, 0.0)
        assert history.of("good") == {} and len(history.of(f"d{MAX_DEVICES - 1}")) == 1

    def test_points(self) -> None:
        history = History()
        for number in range(1000):
            history.note("s1", "n", {"a": {"b": number, "c": "text"}, "d": [1]}, number * 2.0)
        numbers = history.of("s1")["n"].numbers
        assert list(numbers) == ["a.b"]
        points = numbers["a.b"].points()
        assert len(points) == POINTS and points[-1] == (1998.0, 999.0)
        for number in range(1000):
            history.note("s1", "fast", number, number / 100)
        fast = history.of("s1")["fast"].numbers["value"].points()
        assert len(fast) <= 12 and fast[-1] == (10.0, 999.0)

    def test_numbers_that_are_none(self) -> None:
        history = History()
        for data in (float("nan"), float("inf"), 10**400, {"a": 10**400}, None, [], "1"):
            history.note("s1", "n", data, 0.0)
        assert history.of("s1")["n"].numbers == {}
