"""Which changes of networks a gateway makes while it runs."""

import pytest

from eventhive.config import Config, Settings, build
from eventhive.gateway.changes import Changes, changes

NET = "{pubsub_type: websocket, init: {port: 1}}"


def config(connectors: str, servers: str = "") -> Config:
    settings = Settings()
    settings.read_string(f"connectors: {{{connectors}}}\nservers: {{{servers}}}\ngateway: {{}}\n")
    return build(settings)


def test_nothing() -> None:
    red = "red: {pubsub_type: redis, init: {port: 2, password: x}}"
    for text in (f"net: {NET}", f"net: {NET}, {red}", "net: {pubsub_type: memory}"):
        assert changes(config(text), config(text)) == Changes()


def test_networks_come_and_go() -> None:
    found = changes(config(f"a: {NET}, b: {NET}"), config(f"b: {NET}, c: {NET}", f"d: {{create: always, {NET[1:]}"))
    assert found == Changes(added=["c", "d"], removed=["a"])


@pytest.mark.parametrize(
    "other",
    [
        "{pubsub_type: websocket, init: {port: 2}}",
        "{pubsub_type: websocket, init: {host: other, port: 1}}",
        "{pubsub_type: websocket, init: {port: 1, token: 0123456789abcdef}}",
        "{pubsub_type: websocket, init: {port: 1, scheme: wss}}",
        "{pubsub_type: websocket, init: {port: 1, wire: classic}}",
        "{pubsub_type: redis, init: {port: 1}}",
    ],
)
def test_a_network_moves(other: str) -> None:
    for old, new in ((NET, other), (other, NET)):
        assert changes(config(f"net: {old}"), config(f"net: {new}")) == Changes(moved=["net"])


@pytest.mark.parametrize(
    "other",
    [
        "{pubsub_type: memory}",
        "{pubsub_type: websocket, from_broadcast: true, init: {port: 1}}",
        "{pubsub_type: websocket, input_channel: queen, init: {port: 1}}",
        "{pubsub_type: websocket, secret: abc, init: {port: 1}}",
        "{pubsub_type: websocket, remove_metadata: false, init: {port: 1}}",
        "{pubsub_type: websocket, delivery: once, init: {port: 1}}",
        "{pubsub_type: websocket, receive_own: true, init: {port: 1}}",
        # Of two changes, one is enough.
        "{pubsub_type: websocket, secret: abc, init: {port: 2}}",
    ],
)
def test_what_cannot_be_changed(other: str) -> None:
    old, new = config(f"net: {NET}"), config(f"net: {other}")
    found = changes(old, new)
    assert found == Changes(late=["net"], named=["connectors.net"])
    assert found.merged(old.connectors, new.connectors) == old.connectors


def test_a_server_of_this_process() -> None:
    server = f"net: {{create: always, {NET[1:]}"
    old = config(f"net: {NET}", server)
    for new, named in (
        (config(f"net: {NET}", server.replace("always", "needed")), ["servers.net"]),
        (config(f"net: {NET}"), ["servers.net"]),
        (config("", server), ["connectors.net"]),
        (config("net: {pubsub_type: memory}"), ["connectors.net", "servers.net"]),
    ):
        found = changes(old, new)
        assert found == Changes(late=["net"], named=named)
        assert found.merged(old.servers, new.servers) == old.servers
        assert found.merged(old.connectors, new.connectors) == old.connectors
