"""A gateway that runs joins, leaves and moves networks, under traffic of a device that runs MicroPython."""

import json
import socket
import sys
import time
from typing import Any

import pytest
import redis_server
from boards import DEADLINE_S, BoardProcess, Hub, Place, Process, free_port, status

from eventhive.core.errors import LocalError
from eventhive.device.tools import micropython
from eventhive.gateway.control import RELOAD_TIMEOUT_S, request

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

# At a hundred a second: some seconds of traffic.
EVENTS = 500

HIVE = """
connectors:
  {name}: {{pubsub_type: websocket, input_channel: queen, init: {{port: {port}}}}}
servers:
  {name}: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}
"""


class Set:
    """A gateway in a process of its own, whose file is written again; hives are processes, too."""

    def __init__(self, place: Place, networks: str, more: str = ""):
        self.place = place
        self.write(networks, more)
        self.gateway: Process = place.start(Process([sys.executable, "-m", "eventhive", "gateway"], place.folder))
        self.gateway.expect("eventhive gateway: ready")

    def write(self, networks: str, more: str = "") -> None:
        text = f"connectors:\n{networks}gateway:\n  websocket: {{host: 127.0.0.1, port: {self.place.port}}}\n"
        (self.place.folder / "gateway.yaml").write_text(text + more)

    def ask(self, command: str) -> dict[str, Any]:
        return request(self.place.folder / "gateway.sock", command, RELOAD_TIMEOUT_S)

    def reload(self, networks: str, more: str = "") -> dict[str, Any]:
        self.write(networks, more)
        return self.ask("reload")

    def online(self) -> int:
        """How often the device has connected."""
        return len(self.gateway.seen("device s1: online"))


def network(name: str, port: int, more: str = "") -> str:
    return f"  {name}: {{pubsub_type: websocket, input_channel: gateway, {more} init: {{port: {port}}}}}\n"


def hive(place: Place, name: str, port: int) -> Hub:
    """A process that serves a network, and hooks its events."""
    file = f"{name}-{port}.yaml"
    (place.folder / file).write_text(HIVE.format(name=name, port=port))
    return place.hub("queen/event", file=file)


def board(place: Place, *hooks: str) -> BoardProcess:
    """A device that may do everything on all networks."""
    settings = place.settings("s1", connectors={name: {"input_channel": "s1"} for name in ("my-hive", "other")})
    place.keys.allow("s1", ["*/*/*"], ["s1/*"])
    request(place.folder / "gateway.sock", "reload_keys", DEADLINE_S)
    device = place.board(settings, *hooks)
    device.expect("link up")
    return device


def calling(device: BoardProcess, name: str) -> None:
    device.tell(f"asyncio.create_task(calling('{name}/queen/event', {EVENTS}))")


def numbers(*hubs: Hub) -> list[int]:
    found = [json.loads(line.partition(" ")[2])[1] for hub in hubs for line in hub.seen('arrived ["queen/event"')]
    return [number for number in found if isinstance(number, int)]


def ends(device: BoardProcess, name: str, hub: Hub) -> None:
    """Wait until all that the device called before has arrived somewhere."""
    device.call(f"{name}/queen/event", "end")
    hub.expect('"end"')


@pytest.mark.parametrize("delivery", ["", "delivery: once,"])
def test_a_network_moves_under_traffic(place: Place, delivery: str) -> None:
    ports = free_port(), free_port()
    hubs = [hive(place, "my-hive", port) for port in ports]
    gateway = Set(place, network("my-hive", ports[0], delivery))
    device = board(place)
    calling(device, "my-hive")
    for turn in range(1, 4):
        hubs[(turn - 1) % 2].arrived("queen/event", 50 if turn < 3 else 100)
        answer = gateway.reload(network("my-hive", ports[turn % 2], delivery))
        assert answer == {"devices": 1, "needs_restart": []}
        assert len(set(numbers(*hubs))) < EVENTS
    last = hubs[3 % 2]
    last.expect(f'arrived ["queen/event", {EVENTS - 1}]')
    assert set(numbers(*hubs)) == set(range(EVENTS))
    for hub in hubs:
        got = list(dict.fromkeys(numbers(hub)))
        assert got == sorted(got) and len(got) >= 50
    assert gateway.online() == 1


@pytest.mark.skipif(redis_server.PROGRAM is None, reason=redis_server.MISSING)
def test_a_network_moves_from_redis_and_back_under_traffic(place: Place) -> None:
    redis = redis_server.RedisServer(place.folder).start()
    try:
        port = free_port()
        init = f"init: {{host: 127.0.0.1, port: {redis.port}}}"
        here = f"  my-hive: {{pubsub_type: redis, input_channel: queen, {init}}}\n"
        (place.folder / "redis.yaml").write_text(f"connectors:\n{here}")
        hubs = [place.hub("queen/event", file="redis.yaml"), hive(place, "my-hive", port)]
        places = [here.replace("queen", "gateway"), network("my-hive", port)]
        gateway = Set(place, places[0])
        device = board(place)
        calling(device, "my-hive")
        for turn in range(1, 4):
            hubs[(turn - 1) % 2].arrived("queen/event", 50 if turn < 3 else 100)
            assert gateway.reload(places[turn % 2])["needs_restart"] == []
            assert len(set(numbers(*hubs))) < EVENTS
        hubs[3 % 2].expect(f'arrived ["queen/event", {EVENTS - 1}]')
        assert set(numbers(*hubs)) == set(range(EVENTS))
        assert gateway.online() == 1
    finally:
        place.end()
        redis.kill()


def test_networks_come_and_go_under_traffic(place: Place) -> None:
    port, other = free_port(), free_port()
    hub, second = hive(place, "my-hive", port), hive(place, "other", other)
    gateway = Set(place, network("my-hive", port))
    device = board(place)
    calling(device, "my-hive")
    for turn in range(1, 4):
        hub.arrived("queen/event", 60 * turn)
        assert gateway.reload(network("my-hive", port) + network("other", other))["needs_restart"] == []
        device.call("other/queen/event", turn)
        assert second.arrived("queen/event", turn) == list(range(1, turn + 1))
        assert gateway.reload(network("my-hive", port))["needs_restart"] == []
        assert list(gateway.ask("networks")["networks"]) == ["my-hive"]
        assert len(numbers(hub)) < EVENTS
    assert hub.arrived("queen/event", EVENTS) == list(range(EVENTS))
    assert gateway.online() == 1


def test_a_device_hooks_what_comes_later(place: Place) -> None:
    port, other = free_port(), free_port()
    second = hive(place, "other", other)
    hive(place, "my-hive", port)
    gateway = Set(place, network("my-hive", port))
    device = board(place, "s1/led")
    gateway.gateway.expect("events other/s1/led will not reach it: its network is not")
    for turn in (1, 2):
        gateway.reload(network("my-hive", port) + network("other", other))
        second.call("other/s1/led", turn)
        device.expect(f"hook s1/led {turn}")
        gateway.reload(network("my-hive", port))
    assert gateway.online() == 1


@pytest.mark.parametrize("delivery", ["", "delivery: once,"])
def test_what_waits_for_a_network_that_went_is_there_when_it_comes_back(place: Place, delivery: str) -> None:
    port = free_port()
    hub = hive(place, "my-hive", port)
    gateway = Set(place, network("my-hive", port, delivery))
    device = board(place)
    device.call("my-hive/queen/event", 0)
    hub.arrived("queen/event", 1)
    end = time.monotonic() + DEADLINE_S
    while gateway.ask("networks")["networks"]["my-hive"]["events"]:
        assert time.monotonic() < end, "it is not confirmed"
    hub.kill()
    for number in (1, 2):
        device.tell(f"asyncio.create_task(sending('my-hive/queen/event', {number}, 30))")
        device.expect(f"sent {number} True")
    assert gateway.reload("  {}\n")["needs_restart"] == []
    assert gateway.ask("networks")["networks"]["my-hive"]["events"] == 2
    # This one has nowhere to go, and the device must not wait for it.
    device.tell("asyncio.create_task(sending('my-hive/queen/event', 'nowhere', 30))")
    device.expect("sent nowhere True")
    hub = hive(place, "my-hive", port)
    gateway.reload(network("my-hive", port, delivery))
    assert hub.arrived("queen/event", 2) == [1, 2]
    device.call("my-hive/queen/event", 3)
    assert hub.arrived("queen/event", 3) == [1, 2, 3]
    assert gateway.online() == 1


def test_without_a_spool_what_a_network_did_not_take_is_given_up(place: Place) -> None:
    port, other = free_port(), free_port()
    second = hive(place, "other", other)
    spool = "  spool: false\n"
    gateway = Set(place, network("my-hive", port) + network("other", other), spool)
    device = board(place)
    device.call("my-hive/queen/event", 1)
    device.tell("asyncio.create_task(sending('other/queen/event', 2, 30))")
    second.arrived("queen/event", 1)
    # Its acknowledgement waits for that of the one before, which goes to nobody.
    gateway.reload(network("other", other), spool)
    gateway.gateway.expect("my-hive: 1 events were not sent in time")
    device.expect("sent 2 True")
    assert gateway.online() == 1


def test_what_cannot_be_joined_is_refused_as_a_whole(place: Place) -> None:
    port = free_port()
    hive(place, "my-hive", port)
    gateway = Set(place, network("my-hive", port))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        more = f"  serial: [{{port: {place.folder}/none}}]\nservers:\n"
        for name in ("good", "bad"):
            server = number if name == "bad" else free_port()
            more += f"  {name}: {{pubsub_type: websocket, create: always, init: {{port: {server}}}}}\n"
        networks = "".join(network(name, number) for name in ("good", "bad"))
        with pytest.raises(LocalError, match=f"127.0.0.1:{number}"):
            gateway.reload(networks, more)
    assert gateway.ask("ports")["ports"] == []
    assert gateway.ask("networks")["networks"]["my-hive"]["connected"]
    # And it can be tried again.
    assert gateway.reload(networks, more)["needs_restart"] == []
    assert gateway.ask("networks")["networks"] == {}
    assert len(gateway.ask("ports")["ports"]) == 1


def test_a_network_is_hosted_and_no_more(place: Place) -> None:
    port, other = free_port(), free_port()
    hive(place, "my-hive", port)
    gateway = Set(place, network("my-hive", port))
    server = f"servers:\n  other: {{pubsub_type: websocket, create: always, init: {{port: {other}}}}}\n"
    gateway.reload(network("my-hive", port) + network("other", other), server)
    (place.folder / "member.yaml").write_text(HIVE.format(name="other", port=other).partition("servers:")[0])
    member = place.hub("queen/event", file="member.yaml")
    device = board(place)
    device.call("other/queen/event", 1)
    member.arrived("queen/event", 1)
    gateway.reload(network("my-hive", port))
    with socket.create_server(("127.0.0.1", other)):
        pass


def test_what_else_changes_needs_a_restart(place: Place) -> None:
    port = free_port()
    hive(place, "my-hive", port)
    gateway = Set(place, network("my-hive", port))
    answer = gateway.reload(network("my-hive", port, "secret: 0123456789abcdef,"), "  insecure: true\n")
    assert answer["needs_restart"] == ["gateway.insecure", "connectors.my-hive"]
    device = board(place)
    # It goes on as it was.
    assert status(place, "s1")["online"]
    assert gateway.reload(network("my-hive", port)) == {"devices": 1, "needs_restart": []}
    device.kill()
