"""The end of a gateway: what is under way has its time, a second signal changes nothing, and the time has an end."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards import DEADLINE_S, EVENT, HIVE, BoardProcess, Hub, Place, Process, free_port, status
from manager import Manager

from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

GATEWAY = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: gateway, init: {{port: {port}}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: {devices}}}
  spool: {spool}
"""

EVENTS = 20


class Set:
    """A hive that is held up, and a gateway with events for it, which a manager has told to stop."""

    def __init__(self, place: Place, manager: Manager, spool: str):
        port = free_port()
        (place.folder / "hive.yaml").write_text(HIVE.format(port=port))
        self.hive: Hub = place.hub("queen/event", file="hive.yaml")
        (place.folder / "gateway.yaml").write_text(GATEWAY.format(port=port, devices=place.port, spool=spool))
        command = [sys.executable, "-m", "eventhive", "gateway"]
        self.gateway: Process = place.start(Process(command, place.folder, NOTIFY_SOCKET=manager.path))
        manager.expect("READY")
        self.board: BoardProcess = place.board(place.settings("s1"))
        self.board.expect("link up")
        self.board.call(EVENT, "first")
        self.hive.arrived("queen/event", 1)
        self.hive.process.send_signal(signal.SIGSTOP)
        # Sent is not stopped.
        assert os.WIFSTOPPED(os.waitpid(self.hive.process.pid, os.WUNTRACED)[1])
        self.board.tell(f"print([eventhive.EVENTS.call({EVENT!r}, n) for n in range({EVENTS})][-1], 'called')")
        end = time.monotonic() + DEADLINE_S
        while status(place, "s1")["events"] < EVENTS + 1:
            assert time.monotonic() < end, "the gateway has not got them"
        self.gateway.process.send_signal(signal.SIGTERM)
        manager.expect("STOPPING")

    def end(self) -> int:
        """Two more signals, as somebody gives who waits; then wait for its end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.gateway.process.send_signal(number)
        return self.gateway.wait()


@pytest.fixture
def make(place: Place, tmp_path: Path) -> Iterator[Callable[..., Set]]:
    manager = Manager(str(tmp_path / "notify"))
    yield lambda spool: Set(place, manager, spool)
    manager.close()


@pytest.mark.parametrize("spool", ["{}", "false"])
def test_what_is_under_way_has_its_time(make: Callable[..., Set], spool: str) -> None:
    one = make(spool)
    one.hive.process.send_signal(signal.SIGCONT)
    assert one.end() == 0
    assert one.hive.arrived("queen/event", EVENTS + 1)[1:] == list(range(EVENTS))
    assert one.gateway.seen("not sent in time") == []


def test_the_time_has_an_end(make: Callable[..., Set]) -> None:
    one = make("false")
    assert one.end() == 0
    assert one.gateway.seen(f"my-hive: {EVENTS} events were not sent in time")


def test_what_is_on_disk_is_not_lost_with_it(make: Callable[..., Set], place: Place) -> None:
    one = make("{}")
    assert one.end() == 0
    # The hive was never asked to take them again: another one finds them.
    one.hive.kill()
    hive = place.hub("queen/event", file="hive.yaml")
    place.start(Process([sys.executable, "-m", "eventhive", "gateway"], place.folder)).expect("ready")
    assert sorted(set(hive.arrived("queen/event", EVENTS))) == list(range(EVENTS))
