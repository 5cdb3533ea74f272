"""Servers that are announced and looked up by real multicast DNS, on the loopback interface of this machine."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import ServiceInfo

from eventhive import reach as reach_module
from eventhive import roaming
from eventhive.core.errors import LocalError
from eventhive.discovery import TYPE, Announcement, Announcer, parse, search
from eventhive.reach import Reach, local, reach

Run = Callable[..., Any]

LOOPBACK = ("127.0.0.1",)
SECONDS = 3.0


def look_up(network: str, seconds: float = SECONDS) -> list[Announcement]:
    return asyncio.run(search(network, seconds, LOOPBACK))


# What a record says


def txt(network: str, properties: Any) -> Announcement | None:
    return parse(network, ServiceInfo(TYPE, f"{network}.{TYPE}", properties=properties).properties)


@given(st.binary(max_size=300))
def test_any_txt_record_is_read_or_ignored(record: bytes) -> None:
    found = txt("net", record)
    assert found is None or (0 < found.port < 65536 and found.host.isprintable() and " " not in str(found))


@given(
    st.dictionaries(
        st.sampled_from([b"host", b"port", b"endpoint", b"scheme", b"since", b"id", b"\xff"]),
        st.none() | st.binary(max_size=20) | st.sampled_from([b"127.0.0.1", b"8085", b"ws", b"\xd9\xa3", b"0.0.0.0"]),
    )
)
def test_any_properties_are_read_or_ignored(properties: dict[bytes, bytes | None]) -> None:
    found = parse("net", properties)
    assert found is None or parse("net", {k.encode(): v.encode() for k, v in found.properties().items()}) == found


def test_what_is_announced_is_what_is_read() -> None:
    own = Announcement("net", "192.168.1.2", 8085, "/pubsub", "wss", 1_700_000_000_000, "ab")
    assert txt("net", own.properties()) == own
    classic = {"host": "192.168.1.2", "port": 8085, "endpoint": "pubsub"}
    assert txt("net", classic) == Announcement("net", "192.168.1.2", 8085)
    assert str(Announcement("net", "fd00::2", 1, "/p", "wss")) == "wss://[fd00::2]:1/p"
    assert own.rank > Announcement("net", "192.168.1.2", 8085).rank
    for fault in ({"host": ""}, {"host": "0.0.0.0"}, {"port": "0"}, {"port": "65536"}, {"scheme": "http"}):
        assert txt("net", {**own.properties(), **fault}) is None
    for fault in ({"host": "a b"}, {"endpoint": "/a b"}, {"id": "x" * 65}, {"host": "é"}):
        assert txt("net", {**own.properties(), **fault}) is None


def test_how_a_server_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reach("127.0.0.1", ("192.168.1.2",)) == Reach("127.0.0.1", ("127.0.0.1",), LOOPBACK)
    assert reach("localhost", ()) == Reach("127.0.0.1", ("127.0.0.1",), LOOPBACK)
    assert reach("192.168.1.2", ()) == Reach("192.168.1.2", ("192.168.1.2",), ())
    assert reach("0.0.0.0", LOOPBACK) == Reach("127.0.0.1", ("127.0.0.1",), LOOPBACK)
    monkeypatch.setattr(reach_module, "_own_addresses", lambda: ("192.168.1.2", "10.0.0.2"))
    monkeypatch.setattr(reach_module, "_outgoing", lambda: "10.0.0.2")
    assert reach("0.0.0.0", ()) == Reach("10.0.0.2", ("192.168.1.2", "10.0.0.2"), ())
    monkeypatch.setattr(reach_module, "_outgoing", lambda: "")
    assert reach("::", ()).host == "192.168.1.2"
    assert (local("0.0.0.0"), local("::"), local("192.168.1.2")) == ("127.0.0.1", "127.0.0.1", "192.168.1.2")
    with pytest.raises(LocalError, match=r"nowhere\.invalid: "):
        reach("nowhere.invalid", ())


def test_this_machine_has_addresses() -> None:
    assert all(not address.startswith("127.") or address == "127.0.0.1" for address in reach("0.0.0.0", ()).addresses)


def test_an_interface_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(LocalError, match=r"no multicast DNS on 203\.0\.113\.77: "):
        asyncio.run(search("net", 0.1, ("203.0.113.77",)))
    with pytest.raises(LocalError, match="more than 63 bytes"):
        asyncio.run(search("n" * 64, 0.1, LOOPBACK))


# Hives of this process and of others

SERVER = """
eventhive: {{interfaces: [127.0.0.1]}}
connectors: {{{network}: {{pubsub_type: fastapi, input_channel: {channel}, from_broadcast: 1}}}}
servers: {{{network}: {{pubsub_type: fastapi, create: {create}, broadcast: true, init: {{port: {port}}}}}}}
"""
CLIENT = """
eventhive: {{interfaces: [127.0.0.1]}}
connectors: {{{network}: {{pubsub_type: fastapi, input_channel: {channel}, from_broadcast: true}}}}
"""

MEMBER = """
import eventhive, sys
eventhive.CONFIG.read_string({yaml!r})
@eventhive.hook("all/event")
def event(data):
    print("got", data)
eventhive.init()
print("ready", "host" if eventhive.SERVERS else "guest")
for line in sys.stdin:
    if line.strip() == "who":
        print("I am", "host" if eventhive.SERVERS else "guest")
    else:
        eventhive.EVENTS.call("{network}/all/event", line.strip())
"""


def member(network: str, yaml: str = SERVER, create: str = "needed", port: int = 0) -> str:
    text = yaml.format(network=network, channel="all", create=create, port=port)
    return MEMBER.format(yaml=text, network=network)


@pytest.mark.usefixtures("multicast")
def test_an_announced_server_is_found_and_found_again_elsewhere(run: Run, network: str) -> None:
    client = run(member(network, CLIENT))
    client.expect("no announced server found within 3 s")
    client.expect("ready guest")
    server = run(member(network, create="always"))
    server.expect("ready host")
    client.tell("one")
    server.expect("got one")
    server.kill()
    client.expect(f"{network}: waiting for ws://127.0.0.1:")
    client.tell("meanwhile")
    server = run(member(network, create="always"))
    server.expect("got meanwhile")
    server.tell("two")
    client.expect("got two")
    assert len(look_up(network)) == 1


@pytest.mark.usefixtures("multicast")
def test_processes_that_start_together_end_on_one_server(run: Run, network: str, wait_for: Any) -> None:
    programs = [run(member(network)) for _ in range(3)]
    for program in programs:
        program.expect("ready")
    wait_for(lambda: len(look_up(network)) == 1)
    kinds = []
    for program in programs:
        program.tell("who")
        kinds.append(program.expect("I am "))
    assert sorted(kinds) == ["I am guest", "I am guest", "I am host"]
    first, second, third = programs
    first.tell("hello")
    second.expect("got hello")
    third.expect("got hello")


@pytest.mark.usefixtures("multicast")
def test_the_server_of_a_killed_process_is_made_again_by_one_of_the_others(
    run: Run, network: str, wait_for: Any
) -> None:
    host = run(member(network))
    host.expect("ready host")
    first, second = (run(member(network)) for _ in range(2))
    for guest in (first, second):
        guest.expect("ready guest")
    host.tell("before")
    first.expect("got before")
    second.expect("got before")
    gone = look_up(network)[0]
    host.kill()
    first.tell("queued")
    wait_for(lambda: [one for one in look_up(network) if one != gone] and len(look_up(network)) == 1)
    second.expect("got queued")
    second.tell("after")
    first.expect("got after")


@pytest.mark.usefixtures("multicast")
def test_of_two_servers_the_younger_gives_way(
    here: Any, wait_for: Any, network: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def nothing(*arguments: Any) -> list[Announcement]:
        return []

    caplog.set_level(logging.INFO, "eventhive")
    # Neither sees the other before it has begun, as happens to two that start in the same moment.
    monkeypatch.setattr(roaming, "discovery", SimpleNamespace(search=nothing))
    older = here(SERVER.format(network=network, channel="old", create="needed", port=0))
    younger = here(SERVER.format(network=network, channel="young", create="needed", port=0))
    assert network in older.hive.servers and network in younger.hive.servers
    client = here(
        f"connectors: {{{network}: {{pubsub_type: websocket, input_channel: client, "
        f"init: {{port: {younger.hive.servers[network].port}}}}}}}"
    )
    seen: list[Any] = []
    older.events.hook(lambda data: seen.append(data), "old/event")
    younger.events.hook(lambda data: seen.append(data), "young/event")
    numbers = iter(range(1_000_000))

    def call() -> bool:
        younger.events.call(f"{network}/old/event", next(numbers))
        client.events.call(f"{network}/young/event", "direct")
        return network not in younger.hive.servers

    wait_for(call)
    last = next(numbers)
    younger.events.call(f"{network}/old/event", last)
    wait_for(lambda: last in seen)
    arrived = [number for number in seen if isinstance(number, int)]
    assert arrived == list(range(arrived[0], last + 1))
    assert network in older.hive.servers and network not in younger.hive.broadcasters
    older.events.call(f"{network}/young/event", "back")
    wait_for(lambda: "back" in seen)
    assert f"{network}: an older server is announced as ws://127.0.0.1:" in caplog.text


@pytest.mark.usefixtures("multicast")
def test_no_server_gives_way_to_one_that_cannot_be_reached(
    here: Any, wait_for: Any, network: str, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    hive = here(SERVER.format(network=network, channel="all", create="needed", port=0))
    ghost = Announcement(network, "127.0.0.1", port, since=1, id="ghost")

    async def announce() -> Announcer:
        announcer = Announcer(ghost, reach("127.0.0.1", ()), lambda other: None)
        await announcer.start()
        return announcer

    announcer = hive.hive.run_in_loop(announce())
    wait_for(lambda: "an older server is announced as" in caplog.text)
    hive.hive.run_in_loop(announcer.stop())
    assert f"127.0.0.1:{port}/pubsub, but cannot be reached" in caplog.text
    assert network in hive.hive.servers


@pytest.mark.usefixtures("multicast")
def test_a_token_is_given_to_no_server_that_anybody_could_have_announced(
    here: Any, network: str, caplog: pytest.LogCaptureFixture
) -> None:
    here(SERVER.format(network=network, channel="all", create="always", port=0))
    secure = "token: 0123456789abcdef, scheme: wss"
    client = here(CLIENT.format(network=network, channel="all").replace("}}", f", init: {{{secure}}}}}}}"))
    assert not client.hive.connectors[network].connected
    assert "/pubsub is not used: 'scheme: wss' is configured here" in caplog.text
    assert "0123456789abcdef" not in caplog.text


@pytest.mark.usefixtures("multicast")
def test_an_announced_server_with_tls_proves_itself_before_it_is_given_the_token(
    here: Any, wait_for: Any, network: str, tls: Path
) -> None:
    token = "token: 0123456789abcdef, scheme: wss"
    server = SERVER.format(network=network, channel="server", create="always", port=0)
    here(server.replace("init: {", f"init: {{{token}, cert: {tls}/server.pem, key: {tls}/server.key, "))
    ends = ((f"ca: {tls}/ca.pem", True), (f"ca: {tls}/other.pem", False))
    for authority, connected in ends:
        client = CLIENT.format(network=network, channel="client").replace(
            "true", f"true, init: {{{token}, {authority}}}"
        )
        connector = here(client).hive.connectors[network]
        assert connector.connected is connected, connector.state
        assert connected or "its certificate is refused" in connector.state


# Without announcements

FIXED = """
connectors: {{{network}: {{pubsub_type: fastapi, input_channel: {channel}, init: {{port: {port}}}}}}}
servers: {{{network}: {{pubsub_type: fastapi, create: {create}, init: {{host: 127.0.0.1, port: {port}}}}}}}
"""


def test_a_server_that_is_needed_at_one_address_is_made_again_there(run: Run, network: str, port: int) -> None:
    host = run(member(network, FIXED, port=port))
    host.expect("ready host")
    first, second = (run(member(network, FIXED, port=port)) for _ in range(2))
    for guest in (first, second):
        guest.expect("ready guest")
    first.tell("before")
    host.expect("got before")
    second.expect("got before")
    host.kill()
    first.expect("waiting for ws://")
    for number in range(3):
        first.tell(f"queued {number}")
    for number in range(3):
        second.expect(f"got queued {number}")
    second.tell("after")
    first.expect("got after")
    again = run(member(network, FIXED, port=port))
    again.expect("ready guest")
    again.tell("last")
    first.expect("got last")
    second.expect("got last")
