"""Devices that run MicroPython, a gateway and members of the hive, each a process of its own."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boards import DEADLINE_S, EVENT, BoardProcess, Hub, Place, at_place, status

from eventhive.cli.chaos.ports import free_port
from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

BOTH = pytest.mark.parametrize("link", ["websocket", "serial"])


def settings(place: Place, name: str, link: str = "websocket", **changes: Any) -> dict[str, Any]:
    """The eventhive.json of a new device, over a websocket or over the place's serial line."""
    return place.settings(name, place.plug()[1] if link == "serial" else "", **changes)


def connected(place: Place, name: str = "s1", link: str = "websocket", **changes: Any) -> BoardProcess:
    """A new device whose link is up, and that hooks NAME/led."""
    board = place.board(settings(place, name, link, **changes), f"{name}/led")
    board.expect("link up")
    return board


HOSTED = """
connectors:
  my-hive: {{pubsub_type: fastapi, input_channel: {channel}, init: {{port: {port}}}}}
eventhive: {{remove_metadata: {removed}}}
"""
HOSTING = """
servers:
  my-hive: {{pubsub_type: fastapi, create: always, broadcast: false, init: {{port: {port}}}}}
"""


def test_there_and_back(place: Place) -> None:
    """Two devices, the gateway that hosts the network, and a worker: each reaches each."""
    port = free_port()
    text = HOSTED.format(channel="queen", port=port, removed="true") + HOSTING.format(port=port)
    gateway = (place.folder / "gateway.yaml").read_text().partition("gateway:")
    (place.folder / "gateway.yaml").write_text(text + gateway[1] + gateway[2])
    (place.folder / "worker.yaml").write_text(HOSTED.format(channel="worker", port=port, removed="false"))
    first = settings(place, "s1")
    second = settings(place, "s2", "serial")
    hub = place.hub("queen/event")
    worker = place.hub("worker/event", file="worker.yaml")
    boards = {"s1": place.board(first, "s1/led"), "s2": place.board(second, "s2/led")}
    for name, board in boards.items():
        board.expect("link up")
        board.call(EVENT, {"from": name, "c": 21.5})
        board.call("my-hive/worker/event", {"from": name})
    for process in (hub, worker):
        channel = "queen" if process is hub else "worker"
        assert {data["from"] for data in process.arrived(f"{channel}/event", 2)} == {"s1", "s2"}
    for name, board in boards.items():
        hub.call(f"my-hive/{name}/led", {"by": "hub"})
        worker.call(f"my-hive/{name}/led", {"by": "worker"})
        # The worker adds metadata, which is not for boards.
        board.expect(f"hook {name}/led {{'by': 'worker'}}")
        board.expect(f"hook {name}/led {{'by': 'hub'}}")
    boards["s1"].call("my-hive/s2/led", "from s1")
    boards["s2"].call("my-hive/s1/led", "from s2")
    boards["s2"].expect("hook s2/led from s1")
    boards["s1"].expect("hook s1/led from s2")
    assert {status(place, name)["link"] for name in boards} == {"websocket", "serial"}


class TestOutage:
    @BOTH
    def test_events_wait_for_a_gateway_that_is_down(self, place: Place, link: str) -> None:
        board = place.board(settings(place, "s1", link))
        board.expect("started")
        board.tell(
            "import time; began = time.ticks_ms(); "
            f"print('queued', [eventhive.EVENTS.call('{EVENT}', n)['{EVENT}']['my-hive'] for n in range(40)], "
            "'took', time.ticks_diff(time.ticks_ms(), began))"
        )
        queued = board.expect("queued")[0]
        assert json.loads(re.findall(r"\[.*\]", queued)[0]) == list(range(1, 41))
        # Not one of the 40 calls waited for the network, whose time-outs are seconds.
        assert int(queued.split()[-1]) < 500
        hub = place.hub("queen/event")
        assert hub.arrived("queen/event", 40) == list(range(40))
        board.tell("asyncio.create_task(sending('my-hive/queen/event', 'last', 20))")
        board.expect("sent last True")
        assert hub.arrived("queen/event", 41)[40:] == ["last"]
        assert status(place, "s1")["events"] == 41

    @BOTH
    def test_a_gateway_that_is_killed(self, place: Place, link: str) -> None:
        board = settings(place, "s1", link)
        first = place.hub("queen/event")
        device = place.board(board)
        device.expect("link up")
        device.tell(f"asyncio.create_task(calling('{EVENT}', 60))")
        first.arrived("queen/event", 10)
        first.kill()
        before = first.arrived("queen/event", 10)
        second = place.hub("queen/event")
        second.expect('["queen/event", 59]')
        after = second.arrived("queen/event", 1)
        # Nothing is lost and all is in order; only what was not acknowledged when it died may come twice.
        assert before == list(range(len(before)))
        assert after == list(range(after[0], 60))
        assert after[0] <= len(before)
        device.tell(f"asyncio.create_task(sending('{EVENT}', 'last', 20))")
        device.expect("sent last True")
        device.tell("print('kept', len(node.outbox.entries), node.outbox.dropped)")
        device.expect("kept 0 0")

    def test_a_full_outbox(self, place: Place) -> None:
        board = place.board(settings(place, "s1", outbox_bytes=1000))
        board.expect("started")
        board.tell(f"print('queued', [eventhive.EVENTS.call('{EVENT}', n)['{EVENT}']['my-hive'] for n in range(20)])")
        numbers = json.loads(board.expect("queued")[0].partition(" ")[2])
        fitted = sum(1 for number in numbers if number)
        assert 0 < fitted < 20
        assert numbers == [*range(1, fitted + 1), *[0] * (20 - fitted)]
        board.tell(f"asyncio.create_task(sending('{EVENT}', 'more', 20))")
        board.expect("sent more False")
        board.tell("print('dropped', node.outbox.dropped)")
        board.expect(f"dropped {21 - fitted}")
        hub = place.hub("queen/event")
        assert hub.arrived("queen/event", fitted) == list(range(fitted))
        # An event arrives before its acknowledgement does, which makes the room.
        left, asked = "", 0
        while not left.endswith(": 0"):
            asked += 1
            board.tell(f"print('left {asked}:', len(node.outbox.entries))")
            left = board.expect(f"left {asked}:")[0]
        board.call(EVENT, "room again")
        assert hub.arrived("queen/event", fitted + 1)[-1] == "room again"

    def test_a_gateway_that_is_stopped(self, place: Place) -> None:
        hub = place.hub()
        board = connected(place)
        hub.process.stdin.close()  # type: ignore[union-attr]
        assert hub.process.wait(DEADLINE_S) == 0
        board.expect("link down: the other end said goodbye: the gateway is shutting down")
        board.expect(f"no connection to 127.0.0.1:{place.port}: [Errno 111] ECONNREFUSED")

    def test_a_device_that_stops(self, place: Place) -> None:
        hub = place.hub("queen/event")
        board = connected(place)
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 'last'); eventhive.stop()")
        board.expect("ended")
        assert hub.arrived("queen/event", 1) == ["last"]
        hub.expect("device s1: offline: the other end said goodbye: stopped")


class TestCommands:
    def test_what_a_dead_boot_was_sent_is_reported_and_not_sent_again(self, place: Place) -> None:
        hub = place.hub()
        board = connected(place)
        board.process.send_signal(signal.SIGSTOP)
        hub.call("my-hive/s1/led", "sent")
        while not status(place, "s1")["waiting"]:
            pass
        board.kill()
        hub.expect("device s1: offline")
        hub.call("my-hive/s1/led", "not sent yet")
        again = place.board(json.loads((place.folder / "s1/eventhive.json").read_text()), "s1/led")
        again.expect("hook s1/led not sent yet")
        hub.expect("device s1: my-hive/s1/led: outcome unknown, not sent again")
        assert len(again.seen("hook")) == 1
        assert (place.folder / "s1/eventhive.boot").read_text() == "2"

    def test_a_hook_that_raises(self, place: Place) -> None:
        hub = place.hub()
        board = connected(place)
        board.tell("eventhive.hook('s1/led')(lambda data: 1 / 0)")
        hub.call("my-hive/s1/led", 1)
        hub.call("my-hive/s1/led", 2)
        board.expect("eventhive: a hook of s1/led failed:", 2)
        board.expect("ZeroDivisionError: ", 2)
        assert board.expect("hook s1/led", 2) == ["hook s1/led 1", "hook s1/led 2"]
        board.tell("print('failed', node.failed)")
        board.expect("failed 2")


class TestRefusals:
    def test_wrong_key_and_unknown_id(self, place: Place) -> None:
        hub = place.hub("queen/event")
        good = connected(place)
        place.enrol("s2")
        for name in ("s2", "stranger"):
            board = place.board(place.settings(name, key="5a" * 32))
            board.expect(
                f"no connection to 127.0.0.1:{place.port}: the gateway refused this device: unknown id, or wrong key: "
                "compare this id and key with the gateway's key file"
            )
            hub.expect(f"device '{name}' is unknown, or its key is not the one on file")
        good.call(EVENT, "goes on")
        assert hub.arrived("queen/event", 1) == ["goes on"]

    @BOTH
    def test_without_a_key(self, place: Place, link: str) -> None:
        place.enrol("s1")
        hub = place.hub("queen/event")
        board = place.board(settings(place, "s1", link, key=None))
        board.expect("it takes no device without a key here: enrol this one with 'eventhive device add'")
        hub.expect("device 's1' came without a key")
        board.kill()
        stranger = place.board(settings(place, "stranger", link, key=None))
        stranger.call(EVENT, "in clear")
        assert hub.arrived("queen/event", 1) == ["in clear"]
        hub.expect("device stranger: online over " + link)
        assert "WITHOUT A KEY" in hub.seen("device stranger: online")[0]


def test_enrolment_and_removal_without_a_restart(place: Place) -> None:
    hub = place.hub("queen/event")
    done = place.command("device", "add", "s1")
    assert done.returncode == 0, done.stderr
    board = place.board(json.loads(done.stdout), "s1/led")
    board.call(EVENT, {"c": 21.5})
    assert hub.arrived("queen/event", 1) == [{"c": 21.5}]
    assert "s1  connected over websocket from 127.0.0.1:" in place.command("device", "list").stdout
    assert place.command("device", "remove", "s1").returncode == 0
    board.expect("link down: the other end said goodbye: this device was removed from the key file")
    hub.expect("device s1: offline: this device was removed from the key file")
    board.expect("unknown id, or wrong key")


class TestSerialPort:
    def test_one_that_comes_goes_and_comes_back(self, place: Place) -> None:
        hub = place.hub("queen/event")
        waiting = hub.expect("waiting for it")
        assert len(waiting) == 1
        assert waiting[0].endswith(
            f"INFO eventhive.gateway: serial port {place.folder}/port: waiting for it: there is no such device: "
            "plug it in, or correct 'serial:' in the gateway's configuration"
        )
        board = place.board(settings(place, "s1", "serial"))
        board.call(EVENT, 1)
        assert hub.arrived("queen/event", 1) == [1]
        assert len(hub.seen("waiting for it")) == 1
        place.plug()
        board.expect("link down: connection lost: the serial port is gone")
        board.call(EVENT, 2)
        assert hub.arrived("queen/event", 2) == [1, 2]
        hub.expect("lost: it was unplugged, or closed at its other end")
        hub.expect("device s1: offline: it was unplugged, or closed at its other end")

    def test_text_on_the_line(self, place: Place) -> None:
        path = place.plug()[1]
        hub = place.hub("queen/event")
        with open(path, "wb", 0) as line:
            line.write(b"MPY: soft reboot\r\nMicroPython v1.28 on 2026-01-01; Pico W\r\n>>> ")
            board = place.board(place.settings("s1", path))
            board.expect("link up")
            hub.expect("console of ? on")
            line.write(b"\r\n\x1b[2J\x07Traceback (most recent call last):\r\n\xff\xfe half a line")
            board.call(EVENT, 1)
            assert hub.arrived("queen/event", 1) == [1]
            line.write(b"\r\n")
            board.tell(f"open({path!r}, 'wb').write(b'printed by the board\\r\\n')")
            hub.expect("printed by the board")
            board.call(EVENT, 2)
            assert hub.arrived("queen/event", 2) == [1, 2]
        assert hub.seen("MPY: soft reboot")
        text = hub.expect("Traceback")[0]
        assert text.endswith(f"console of s1 on {place.folder}/port: ?[2J?Traceback (most recent call last):")
        assert all(line.isprintable() for line in hub.lines)


class TestData:
    def test_metadata_where_it_is_wanted(self, place: Place) -> None:
        hub = place.hub("queen/event")
        board = connected(place, eventhive={"remove_metadata": False})
        board.call(EVENT, {"c": 21.5})
        data = hub.arrived("queen/event", 1)[0]
        metadata = data.pop("__eventhive__")
        assert data == {"c": 21.5}
        assert metadata["event"] == EVENT
        assert metadata["time"] > 1_700_000_000
        assert set(metadata) == {"time", "version", "event", "id"}

    @pytest.mark.parametrize(
        ("call", "error"),
        [
            ("'my-hive/queen/a b', 1", "event name 'my-hive/queen/a b': no "),
            ("'my-hive//event', 1", "event name 'my-hive//event': no empty part"),
            ("'my-hive/queen/' + 'x' * 90, 1", "of 1 to 96 bytes"),
            ("'other-hive/queen/event', 1", "other-hive/queen/event: its network is not under 'connectors'"),
            (f"'{EVENT}', {{1: 2}}", "the key 1 is not a string"),
            (f"'{EVENT}', b'x'", "a bytes is not JSON: use dict, list, str, int, float, bool or None"),
            (f"'{EVENT}', float('inf')", "inf has no JSON form"),
            (f"'{EVENT}', 'x' * 5000", f"{EVENT}: 5021 bytes, the link takes"),
            (f"'{EVENT}', eval('[' * 17 + ']' * 17)", "data nested deeper than 16 levels"),
        ],
    )
    def test_what_cannot_be_sent_is_said_where_it_was_called(self, boards: "Boards", call: str, error: str) -> None:
        count = len(boards.board.seen("raised ")) + 1
        boards.board.tell(f"eventhive.EVENTS.call({call})")
        raised = boards.board.expect("raised ", count)[-1]
        assert raised.startswith("raised LocalError: "), raised
        assert error in raised

    def test_an_event_without_a_way_does_not_block_the_next(self, place: Place) -> None:
        names = {"my-hive": {"input_channel": "s1"}, "other-hive": {}}
        hub = place.hub("queen/event")
        board = connected(place, connectors=names)
        for number in range(3):
            board.call("other-hive/queen/event", number)
        board.call(EVENT, "next")
        assert hub.arrived("queen/event", 1) == ["next"]
        found = hub.seen("events other-hive/queen/event are put aside")
        assert len(found) == 1
        assert "its network is not under 'connectors' in the gateway's configuration" in found[0]
        assert status(place, "s1")["refused"] == 3
        board.tell(f"asyncio.create_task(sending('{EVENT}', 'last', 20))")
        board.expect("sent last True")


class Boards:
    """A gateway and one device, for tests that leave both as they were."""

    def __init__(self, place: Place):
        self.hub: Hub = place.hub("queen/event")
        self.board = connected(place)


@pytest.fixture(scope="class")
def boards(tmp_path_factory: pytest.TempPathFactory, tree: Path) -> Iterator[Boards]:
    with at_place(tmp_path_factory.mktemp("boards"), tree) as place:
        yield Boards(place)


def test_a_new_key_for_a_device_that_is_connected(place: Place) -> None:
    hub = place.hub("queen/event")
    old = settings(place, "s1")
    board = place.board(old, "s1/led")
    board.expect("link up")
    done = place.command("device", "rekey", "s1", "--config", "gateway.yaml")
    assert done.returncode == 0, done.stderr
    # It goes on with the old key, also after a restart, until somebody has brought it the new one.
    board.call(EVENT, "old")
    hub.arrived("queen/event", 1)
    board.kill()
    board = place.board(old, "s1/led")
    board.expect("link up")
    board.call(EVENT, "old again")
    hub.arrived("queen/event", 2)
    board.kill()
    board = place.board({**old, **json.loads(done.stdout)}, "s1/led")
    board.expect("link up")
    board.call(EVENT, "new")
    assert hub.arrived("queen/event", 3) == ["old", "old again", "new"]
    hub.expect("device s1: uses its new key; the old one is worth nothing any more")
    entry = json.loads((place.folder / "gateway.keys").read_text())["s1"]
    assert (entry["key"], entry["keygen"]) == (json.loads(done.stdout)["key"], 1)
    board.kill()
    place.board(old, "s1/led").expect("unknown id, or wrong key")
    assert json.loads(done.stdout)["key"] not in "\n".join(hub.lines)
