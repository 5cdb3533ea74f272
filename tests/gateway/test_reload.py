"""A gateway that runs reads its configuration again, under traffic of a device that runs MicroPython."""

import signal
import sys

import pytest
from boards import DEADLINE_S, EVENT, Place, Process

from eventhive.cli.chaos.ports import free_port
from eventhive.core.errors import LocalError
from eventhive.device.tools import micropython
from eventhive.gateway.control import request

EVENTS = 600

NETWORK = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: {channel}, init: {{port: {port}}}}}
"""
GATEWAY = """
servers:
  my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: {devices}}}
"""


class Set:
    """A gateway of its own process, whose file can be written again."""

    def __init__(self, place: Place):
        self.place, self.port = place, free_port()
        self.write()
        command = [sys.executable, "-m", "eventhive", "gateway"]
        self.gateway: Process = place.start(Process(command, place.folder))
        self.gateway.expect("eventhive gateway: ready")

    def write(self, more: str = "") -> None:
        text = (NETWORK + GATEWAY).format(channel="gateway", port=self.port, devices=self.place.port)
        (self.place.folder / "gateway.yaml").write_text(text + more)

    def hangup(self, count: int) -> None:
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.expect("configuration was read again: 1 devices", count)


@pytest.fixture
def running(place: Place) -> Set:
    return Set(place)


@pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)
def test_a_reload_under_traffic_loses_nothing(running: Set, place: Place) -> None:
    (place.folder / "hive.yaml").write_text(NETWORK.format(channel="queen", port=running.port))
    hub = place.hub("queen/event", file="hive.yaml")
    board = place.board(place.settings("s1"))
    board.expect("link up")
    board.tell(f"asyncio.create_task(calling({EVENT!r}, {EVENTS}))")
    for n in range(1, 4):
        hub.arrived("queen/event", n * EVENTS // 6)
        running.write(f"  command_ttl: {n}\n  serial: [{{port: {place.folder}/port{n}}}]\n")
        running.hangup(n)
        assert len(hub.seen("arrived")) < EVENTS
        ports = request(place.folder / "gateway.sock", "ports", DEADLINE_S)["ports"]
        assert [one["port"] for one in ports] == [f"{place.folder}/port{n}"]
    assert hub.arrived("queen/event", EVENTS) == list(range(EVENTS))
    assert len(running.gateway.seen("device s1: online")) == 1


def test_nothing_needs_a_restart_where_nothing_changed(running: Set, place: Place) -> None:
    assert request(place.folder / "gateway.sock", "reload", DEADLINE_S) == {"devices": 0, "needs_restart": []}


def test_what_is_told_of_devices_changes_at_once(running: Set, place: Place) -> None:
    place.enrol("s1")
    running.write("  availability: {grace: 5, oversleep: 5}\n")
    assert request(place.folder / "gateway.sock", "reload", DEADLINE_S) == {"devices": 1, "needs_restart": []}


def test_what_needs_a_restart_is_named(running: Set, place: Place) -> None:
    running.write("  insecure: true\n")
    done = place.command("gateway", "reload")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == "unchanged until it is restarted: gateway.insecure"


def test_a_bad_file_is_refused_and_the_gateway_runs_on(running: Set, place: Place) -> None:
    running.write("  spol: {}\n")
    with pytest.raises(LocalError, match=r"gateway.yaml:9:3: unknown key 'spol'"):
        request(place.folder / "gateway.sock", "reload", DEADLINE_S)
    done = place.command("gateway", "reload")
    assert done.returncode == 1 and "gateway.yaml:9:3: unknown key 'spol'" in done.stderr
    running.gateway.process.send_signal(signal.SIGHUP)
    running.gateway.expect("the configuration is not taken over")
    running.write()
    assert place.command("gateway", "reload").returncode == 0


def test_bad_keys_change_nothing(running: Set, place: Place) -> None:
    place.enrol("s1")
    place.keys.path.write_text("{")
    running.write(f"  serial: [{{port: {place.folder}/port}}]\n")
    with pytest.raises(LocalError, match=r"gateway\.keys"):
        request(place.folder / "gateway.sock", "reload", DEADLINE_S)
    socket = place.folder / "gateway.sock"
    assert request(socket, "ports", DEADLINE_S) == {"ports": []}
    assert [one["name"] for one in request(socket, "devices", DEADLINE_S)["devices"]] == ["s1"]


def test_none_runs(place: Place) -> None:
    done = place.command("gateway", "reload")
    assert done.returncode == 3 and "no gateway is running" in done.stderr


def test_the_gateway_of_a_program_says_so(place: Place) -> None:
    place.hub()
    with pytest.raises(LocalError, match="part of a program"):
        request(place.folder / "gateway.sock", "reload", DEADLINE_S)
