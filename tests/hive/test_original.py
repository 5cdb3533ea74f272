"""Real processes of EventHive 0.5.0 and hives of ours on one network, both ways."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import original
import pytest
from redis_server import RedisServer

KEY = "__eventhive__"
CHANNELS = ("queen", "worker")
DATA = [{"n": 1, "text": 'é "\n', "list": [1.5, None, True, {"b": 2, "a": 1}]}, {"n": 2, "empty": {}}]

CONNECTOR = "connectors: {{my-hive: {{pubsub_type: {kind}, input_channel: {channel}{more}, init: {init}}}}}\n"
SERVER = "servers: {{my-hive: {{pubsub_type: fastapi, create: always, broadcast: false, init: {init}}}}}\n"
ADDRESS = "{{host: 127.0.0.1, port: {port}, endpoint: /pubsub, scheme: ws}}"
SECRET = ", secret: s3cr:3t"

Start = Callable[..., original.Original]


@pytest.fixture
def start(tmp_path: Any) -> Iterator[Start]:
    """Start members of 0.5.0: `start(channel, configuration)`."""
    try:
        python = original.environment()
    except original.Unavailable as error:
        pytest.skip(str(error))
    members: list[original.Original] = []

    def begin(channel: str, configuration: str, prelude: str = "", **environment: str) -> original.Original:
        members.append(original.Original(python, tmp_path, channel, configuration, prelude, **environment))
        return members[-1]

    yield begin
    for member in members:
        member.kill()


class Pair:
    """One of 0.5.0 and one of ours, who have heard each other."""

    def __init__(self, theirs: original.Original, ours: Any, wait_for: Any):
        self.theirs, self.ours, self._wait_for = theirs, ours, wait_for
        self.got: list[Any] = []
        self.channel = ours.hive.networks["my-hive"].input_channel
        self.other = next(channel for channel in CHANNELS if channel != self.channel)
        ours.events.hook(self.got.append, f"{self.channel}/action")
        # 0.5.0 does not say when it has subscribed, nor does it keep what it cannot send.
        tries = itertools.count()
        wait_for(lambda: self._try(next(tries)), "each hears the other")

    def _try(self, number: int) -> bool:
        if number % 40 == 0:
            self.call({"try": number})
            self.theirs.call(f"my-hive/{self.channel}/action", {"try": number})
        return bool(self.got) and bool(self.theirs.got)

    def call(self, data: Any) -> None:
        """Call the event that 0.5.0 hooks."""
        self.ours.events.call(f"my-hive/{self.other}/action", data)

    def exchange(self) -> tuple[list[Any], list[Any]]:
        """Send DATA both ways; what arrived with us, and with them."""
        for data in DATA:
            self.call(data)
            self.theirs.call(f"my-hive/{self.channel}/action", data)
        found: list[list[Any]] = []
        for got in (self.got, self.theirs.got):
            self._wait_for(lambda got=got: len(_events(got)) == len(DATA), "all that was sent arrives")
            found.append(sorted(_events(got), key=lambda data: data["n"]))
        return found[0], found[1]


def _events(got: list[Any]) -> list[Any]:
    return [data for data in got if "n" in data]


def plain(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != KEY}


def join(channel: str, port: int, more: str = "", serves: bool = False) -> str:
    """A configuration for the websocket pubsub."""
    address = ADDRESS.format(port=port)
    text = CONNECTOR.format(kind="fastapi", channel=channel, more=more, init=address)
    return text + (SERVER.format(init=address) if serves else "")


def check(pair: Pair, sends_metadata: bool) -> None:
    with_us, with_them = pair.exchange()
    assert [plain(data) for data in with_us] == DATA
    # What 0.5.0 adds reaches hooks; ours adds it where it is asked to.
    for data in with_us:
        assert data[KEY]["event"] == f"my-hive/{pair.channel}/action" and data[KEY]["version"] == "0.5.0"
    assert [plain(data) for data in with_them] == DATA
    assert all((KEY in data) is sends_metadata for data in with_them)


@pytest.mark.parametrize("more", ["", SECRET])
@pytest.mark.parametrize("removed", [True, False])
def test_our_server(start: Start, here: Any, wait_for: Any, port: int, more: str, removed: bool) -> None:
    metadata = "" if removed else ", remove_metadata: false"
    ours = here(join("queen", port, more + metadata, serves=True))
    check(Pair(start("worker", join("worker", port, more)), ours, wait_for), not removed)


@pytest.mark.parametrize("more", ["", SECRET])
def test_their_server(start: Start, here: Any, wait_for: Any, port: int, more: str) -> None:
    theirs = start("queen", join("queen", port, more, serves=True))
    check(Pair(theirs, here(join("worker", port, more)), wait_for), False)


@pytest.mark.parametrize("more", ["", SECRET])
def test_redis(start: Start, here: Any, wait_for: Any, redis_server: RedisServer, more: str) -> None:
    init = f"{{host: 127.0.0.1, port: {redis_server.port}}}"
    texts = [CONNECTOR.format(kind="redis", channel=channel, more=more, init=init) for channel in CHANNELS]
    check(Pair(start("queen", texts[0]), here(texts[1]), wait_for), False)


def test_another_secret(start: Start, here: Any, wait_for: Any, port: int) -> None:
    ours = here(join("queen", port, SECRET, serves=True))
    pair = Pair(start("worker", join("worker", port, SECRET)), ours, wait_for)
    stranger = start("worker", join("worker", port, ", secret: other"))
    drops = ours.hive.networks["my-hive"].sealing.drops
    tries = itertools.count()

    def dropped() -> bool:
        if next(tries) % 40 == 0:
            stranger.call("my-hive/queen/action", {"n": 0})
        return bool(drops.counts)

    wait_for(dropped, "a drop")
    assert not _events(pair.got)
    assert [plain(data) for data in pair.exchange()[0]] == DATA
    assert not _events(stranger.got)


def test_a_request_runs_the_hooks_of_the_original(start: Start, here: Any, wait_for: Any, port: int) -> None:
    ours = here(join("queen", port, serves=True))
    pair = Pair(start("worker", join("worker", port)), ours, wait_for)
    future = ours.hive.request("my-hive/worker/action", {"n": 1}, 0.5)
    assert str(future.exception(10)) == "my-hive/worker/action: no reply within 0.5 s"
    wait_for(lambda: _events(pair.theirs.got))
    assert plain(_events(pair.theirs.got)[0]) == {"n": 1}


FOUND = ", from_broadcast: 10"
ANNOUNCED = "servers: {{my-hive: {{pubsub_type: fastapi, create: {create}, broadcast: true, init: {init}}}}}\n"
LOOPBACK = "eventhive: {interfaces: [127.0.0.1]}\n"


def announced(create: str, port: int) -> str:
    return ANNOUNCED.format(create=create, init=ADDRESS.format(port=port))


@pytest.mark.parametrize("create", ["always", "needed"])
def test_it_finds_our_server(start: Start, here: Any, wait_for: Any, port: int, create: str) -> None:
    ours = here(join("queen", port) + announced(create, port) + LOOPBACK)
    # Its own address leads nowhere: it has to look the server up.
    theirs = start("worker", join("worker", 1, FOUND), original.LOOPBACK)
    check(Pair(theirs, ours, wait_for), False)


@pytest.mark.parametrize("create", ["", "needed"])
def test_we_find_its_server(start: Start, here: Any, wait_for: Any, port: int, create: str) -> None:
    # It announces a server only where that listens on all interfaces.
    hosted = announced("always", port).replace("127.0.0.1", "0.0.0.0")
    theirs = start("queen", join("queen", port) + hosted, original.LOOPBACK)
    server = announced(create, 1) if create else ""
    ours = here(join("worker", 1, FOUND) + server + LOOPBACK)
    check(Pair(theirs, ours, wait_for), False)
    assert not ours.hive.servers
