"""Boards without a gateway, real MicroPython: what waits on flash, other ways to the gateway, the radio, sleep."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from boards import DEADLINE_S, EVENT, ROOT, BoardProcess, Place, status

from eventhive.cli.chaos.ports import free_port
from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

SIM = ROOT / "firmware-examples" / "sim"
SPILL = {"bytes": 65536}
# Of micro/wifi.py, which only a board can import.
REJOIN_AFTER = 3


def again(place: Place, name: str, *hooks: str) -> BoardProcess:
    """The same board, switched on once more."""
    return place.board(json.loads((place.folder / name / "eventhive.json").read_text()), *hooks)


def segments(place: Place, name: str) -> list[str]:
    return sorted(path.name for path in (place.folder / name / "eventhive.spill").iterdir())


def shown(board: BoardProcess, expression: str) -> str:
    """The value of an expression on the board."""
    board.tell(f"print('value', {expression})")
    return board.expect("value ", len(board.seen("value ")) + 1)[-1].partition(" ")[2]


def until(condition: Any) -> None:
    """Wait for something that no line tells."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        # What it waits for needs the processor more.
        time.sleep(0.02)


class TestFlash:
    def test_events_of_an_outage_outlive_the_board(self, place: Place) -> None:
        board = place.board(place.settings("s1", spill=SPILL, outbox_bytes=2048))
        board.expect("started")
        board.tell(f"print('numbers', [node.call('{EVENT}', n) for n in range(200)][-1])")
        board.expect("numbers 200")
        kept = int(shown(board, "node.spill.waiting"))
        assert 150 < kept < 200
        board.kill()
        assert segments(place, "s1")
        board = again(place, "s1")
        board.expect(f"{kept} events of an earlier start wait on flash")
        hub = place.hub("queen/event")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 'new')")
        # What was in memory alone has died with it.
        assert hub.arrived("queen/event", kept + 1) == [*range(kept), "new"]
        until(lambda: not segments(place, "s1"))

    def test_a_gateway_that_is_killed_while_it_takes_them(self, place: Place) -> None:
        board = place.board(place.settings("s1", spill=SPILL, outbox_bytes=2048))
        board.expect("started")
        board.tell(f"print('last', [node.call('{EVENT}', n) for n in range(400)][-1], node.spill.write())")
        board.expect("last 400 True")
        # The hooks are in the gateway's process, so only this says that they have ended before it is acknowledged.
        config = place.folder / "gateway.yaml"
        config.write_text(config.read_text().replace("queen}", "queen, delivery: once}"))
        first = place.hub("queen/event")
        first.arrived("queen/event", 50)
        first.kill()
        board.kill()
        board = again(place, "s1")
        board.expect("started")
        second = place.hub("queen/event")
        until(lambda: not segments(place, "s1"))

        def seen() -> set[int]:
            lines = [line for hub in (first, second) for line in hub.seen("arrived [")]
            return {json.loads(line.partition(" ")[2])[1] for line in lines}

        # What was in hooks at the kill may come again; nothing is lost.
        until(lambda: 399 in seen())
        assert seen() == set(range(400))

    def test_a_stop_keeps_what_nobody_acknowledged(self, place: Place) -> None:
        board = place.board(place.settings("s1", spill=SPILL))
        board.expect("started")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 1); eventhive.stop()")
        board.expect("ended")
        hub = place.hub("queen/event")
        again(place, "s1")
        assert hub.arrived("queen/event", 1) == [1]

    def test_a_board_that_was_staged_without_it_says_so(self, place: Place, tmp_path: Path) -> None:
        (place.tree / "eventhive/spill.mpy").rename(tmp_path / "spill.mpy")
        try:
            board = place.board(place.settings("s1", spill=SPILL))
            board.expect("LocalError: this board has no 'spill': stage its files with '--with spill'")
        finally:
            (tmp_path / "spill.mpy").rename(place.tree / "eventhive/spill.mpy")


class TestKeep:
    def test_policies_of_a_full_outbox(self, place: Place) -> None:
        board = place.board(place.settings("s1", outbox_bytes=1024))
        board.expect("started")
        board.tell("eventhive.keep('my-hive/queen/last', 'latest'); eventhive.keep('my-hive/queen/new', 'newest')")
        for line in (
            "print('oldest', [node.call('my-hive/queen/event', n) for n in range(3)])",
            "print('latest', [node.call('my-hive/queen/last', n) for n in range(20)][-1])",
            "print('newest', [node.call('my-hive/queen/new', n) for n in range(20)][-1])",
        ):
            board.tell(line)
        board.expect("newest ")
        assert int(shown(board, "node.outbox.dropped")) > 10
        assert shown(board, "node.replaced") == "19"
        kept = int(shown(board, "len(node.outbox.entries)"))
        hub = place.hub("queen/event", "queen/last", "queen/new")
        assert hub.arrived("queen/event", 3) == [0, 1, 2]
        # The one of `last` was the oldest of those that may be dropped.
        assert hub.arrived("queen/new", kept - 3) == list(range(20 - kept + 3, 20))
        assert not hub.seen("queen/last")

    def test_a_policy_that_is_none(self, place: Place) -> None:
        board = place.board(place.settings("s1"))
        board.expect("started")
        board.tell("eventhive.keep('my-hive/queen/last', 'first')")
        board.expect("LocalError: my-hive/queen/last: 'oldest', 'newest' or 'latest' can be kept, not 'first'")


class TestWays:
    def websocket(self, port: int) -> dict[str, Any]:
        return {"type": "websocket", "host": "127.0.0.1", "port": port}

    def test_a_gateway_that_moved(self, place: Place) -> None:
        nobody = free_port()
        links = [self.websocket(nobody), self.websocket(place.port)]
        hub = place.hub("queen/event")
        board = place.board(place.settings("s1", link=links))
        board.expect(f"no connection to 127.0.0.1:{nobody}: ")
        board.expect("link up")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 1)")
        assert hub.arrived("queen/event", 1) == [1]
        failures = len(board.seen("no connection to"))
        hub.kill()
        board.expect(f"no connection to 127.0.0.1:{place.port}: ")
        # The last good one was tried first.
        assert f":{place.port}: " in board.seen("no connection to")[failures]
        place.hub()
        board.expect("link up", 2)

    def test_from_a_network_to_a_cable_and_back_the_numbers_go_on(self, place: Place) -> None:
        port, device = place.plug()
        assert port == str(place.folder / "port")
        links = [self.websocket(place.port), {"type": "serial", "device": device}]
        hub = place.hub("queen/event")
        board = place.board(place.settings("s1", link=links))
        board.expect("link up")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 1)")
        hub.arrived("queen/event", 1)
        assert status(place, "s1")["link"] == "websocket"
        # Its network is gone: nothing listens at that port any more, but for the cable.
        hub.kill()
        text = (place.folder / "gateway.yaml").read_text()
        (place.folder / "gateway.yaml").write_text(text.replace(str(place.port), str(free_port())))
        hub = place.hub("queen/event")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 2)")
        assert hub.arrived("queen/event", 1) == [2]
        assert status(place, "s1")["link"] == "serial"
        # The hook may have it before the board hears of it.
        until(lambda: shown(board, "node.outbox.acked") == "2")
        hub.kill()
        place.unplug()
        (place.folder / "gateway.yaml").write_text(text)
        hub = place.hub("queen/event")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 3)")
        assert hub.arrived("queen/event", 1) == [3]
        assert status(place, "s1")["link"] == "websocket"
        until(lambda: shown(board, "(node.outbox.acked, node.boot)") == "(3, 1)")


class TestRadio:
    def board(self, place: Place, tree: Path, **wifi: Any) -> BoardProcess:
        place.tree = Path(f"{SIM}:{tree}")
        return place.board(place.settings("s1", wifi={"ssid": "attic", "password": "secret-word", **wifi}))

    def wifi(self, place: Place, state: str) -> None:
        (place.folder / "s1").mkdir(exist_ok=True)
        (place.folder / "s1" / "sim.wifi").write_text(state)

    def test_a_network_that_is_not_there_and_comes(self, place: Place, tree: Path, monkeypatch: Any) -> None:
        hub = place.hub("queen/event")
        self.wifi(place, "off")
        board = self.board(place, tree)
        board.expect(f"no connection to 127.0.0.1:{place.port}: wifi 'attic': not found; boards know 2.4 GHz only")
        self.wifi(place, "")
        board.expect("wifi 'attic': 127.0.0.1")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 1)")
        assert hub.arrived("queen/event", 1) == [1]
        assert not any("secret-word" in line for line in board.lines)

    def test_the_ladder_is_climbed_where_nobody_answers(self, place: Place, tree: Path) -> None:
        self.wifi(place, "off")
        board = self.board(place, tree)
        board.expect("wifi 'attic': not found")
        for silent, rung in ((REJOIN_AFTER, "sim: leaves"), (2 * REJOIN_AFTER, "sim: radio off")):
            seen = len(board.seen(rung))
            board.tell(f"node.outage.silent = {silent - 1}")
            board.expect("nobody answers: joining again", silent // REJOIN_AFTER)
            board.expect(rung, seen + 1)

    def test_an_answer_is_no_reason_to_climb(self, place: Place, tree: Path) -> None:
        board = self.board(place, tree)
        board.expect("ECONNREFUSED", 4)
        assert not board.seen("nobody answers")
        assert len(board.seen("sim: joins")) == 1

    def test_the_last_rung_keeps_what_waits(self, place: Place, tree: Path) -> None:
        self.wifi(place, "off")
        place.tree = Path(f"{SIM}:{tree}")
        settings = place.settings("s1", spill=SPILL, wifi={"ssid": "attic", "reset_after": 1})
        board = place.board(settings)
        board.expect("started")
        board.tell(f"eventhive.EVENTS.call('{EVENT}', 1)")
        board.expect("nobody answers for 1 s: the board starts anew")
        board.expect("sim: reset")
        assert board.wait() == 0
        (place.folder / "s1" / "sim.wifi").unlink()
        hub = place.hub("queen/event")
        again(place, "s1")
        assert hub.arrived("queen/event", 1) == [1]


class TestSleep:
    SLEEPS = f"asyncio.create_task(eventhive.sleep(90000)) if eventhive.EVENTS.call('{EVENT}', 1) else None"

    def test_a_sleeper_is_acknowledged_says_goodbye_and_gets_its_commands(self, place: Place, tree: Path) -> None:
        hub = place.hub("queen/event")
        place.tree = Path(f"{SIM}:{tree}")
        board = place.board(place.settings("s1", wifi={"ssid": "attic"}), "s1/led")
        board.expect("link up")
        board.tell(self.SLEEPS)
        board.expect("sim: deepsleep 90000")
        assert board.wait() == 0
        assert board.lines.index("sim: radio off") < board.lines.index("sim: deepsleep 90000")
        assert hub.arrived("queen/event", 1) == [1]
        hub.expect("device s1: offline: the other end said goodbye: asleep")
        assert 80 <= status(place, "s1")["wakes_in_s"] <= 90
        hub.call("my-hive/s1/led", "on")
        again(place, "s1", "s1/led").expect("hook s1/led on")

    def test_without_a_gateway_it_sleeps_all_the_same(self, place: Place, tree: Path) -> None:
        place.tree = Path(f"{SIM}:{tree}")
        board = place.board(place.settings("s1", spill=SPILL))
        board.expect("started")
        board.tell(self.SLEEPS.replace("90000", "90000, 0.2"))
        board.expect("sim: deepsleep 90000")
        board.wait()
        hub = place.hub("queen/event")
        again(place, "s1")
        assert hub.arrived("queen/event", 1) == [1]

    def test_what_is_lost_is_said(self, place: Place, tree: Path) -> None:
        place.tree = Path(f"{SIM}:{tree}")
        board = place.board(place.settings("s1"))
        board.expect("started")
        board.tell(self.SLEEPS.replace("90000", "90000, 0.2"))
        board.expect("1 events that nobody acknowledged are lost")
        board.expect("sim: deepsleep 90000")

    def test_a_port_that_cannot_sleep(self, place: Place) -> None:
        board = place.board(place.settings("s1"))
        board.expect("started")
        board.tell(self.SLEEPS)
        board.expect("LocalError: this port of MicroPython has no machine.deepsleep")


class TestStatus:
    def test_a_board_tells_how_it_does(self, place: Place) -> None:
        hub = place.hub()
        board = place.board(place.settings("s1", status=1, outbox_bytes=300))
        board.expect("link up")
        until(lambda: status(place, "s1")["reported"].get("heap", 0) > 10_000)
        hub.process.send_signal(19)
        board.tell(f"print('full', [node.call('{EVENT}', n) for n in range(9)][-1])")
        board.expect("full 0")
        hub.process.send_signal(18)
        until(lambda: status(place, "s1")["reported"]["dropped"] >= 5)
        assert status(place, "s1")["reported"]["version"]


# Takes more memory than there is, so many times, and then calls an event with how often it was called.
HUNGRY = """
import asyncio, sys
import eventhive

called = 0

async def hungry(times):
    global called
    called += 1
    if called <= times:
        bytearray(100_000_000)
    eventhive.EVENTS.call("my-hive/queen/event", called)

async def waits():
    await asyncio.sleep(3600)

eventhive.init()
eventhive.EVENTS.call("my-hive/queen/event", 0)
asyncio.run(eventhive.run(TASK))
"""


class TestMemory:
    """What memory does to a program: with `lasting`, its tasks go on."""

    def test_a_task_goes_on(self, place: Place) -> None:
        hub = place.hub("queen/event")
        board = place.board(place.settings("s1"), program=HUNGRY.replace("TASK", "eventhive.lasting(hungry, 2)"))
        assert hub.arrived("queen/event", 2) == [0, 3]
        assert len(board.seen("bytes of memory are free, after a task that failed:")) == 2
        assert len(board.seen("MemoryError: ")) == 2
        assert board.seen("link down") == []

    def test_the_third_time_the_board_starts_anew(self, place: Place, tree: Path) -> None:
        place.tree = Path(f"{SIM}:{tree}")
        program = HUNGRY.replace("TASK", "eventhive.lasting(hungry, 9)")
        board = place.board(place.settings("s1", spill=SPILL), program=program)
        board.expect("memory ran out 3 times: the board starts anew")
        board.expect("sim: reset")
        assert board.wait() == 0
        hub = place.hub("queen/event")
        again(place, "s1")
        assert hub.arrived("queen/event", 1) == [0]

    def test_without_a_way_to_restart_it_is_raised(self, place: Place) -> None:
        board = place.board(place.settings("s1"), program=HUNGRY.replace("TASK", "eventhive.lasting(hungry, 9)"))
        assert board.wait() == 1
        assert len(board.seen("MemoryError: ")) == 4

    def test_other_tasks_end_the_program(self, place: Place) -> None:
        board = place.board(place.settings("s1"), program=HUNGRY.replace("TASK", "waits(), hungry(1)"))
        assert board.wait() == 1
        assert len(board.seen("MemoryError: ")) == 1
