"""Tokens and TLS: servers of this process, clients of the library `websockets`, and our own connector."""

import contextlib
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from eventhive import classic
from eventhive.access import MAX_TOKENS, ClientAccess, ServerAccess, Token, client_context, server_context
from eventhive.config import build
from eventhive.core.errors import LocalError
from eventhive.servers import admission
from eventhive.servers.peer import HIGH_WATER, MAX_BUFFERED
from eventhive.settings import ConfigError, Settings

TOKEN = "0123456789abcdef-not-a-real-one"
OTHER = "fedcba9876543210-not-a-real-one"


def server(init: str, host: str = "127.0.0.1") -> str:
    return f"""
connectors: {{net: {{pubsub_type: websocket, input_channel: here}}}}
servers: {{net: {{pubsub_type: websocket, create: always, init: {{host: {host}, port: 0, {init}}}}}}}
"""


def client(port: int, init: str) -> str:
    return f"connectors: {{net: {{pubsub_type: websocket, input_channel: there, init: {{port: {port}, {init}}}}}}}"


def secured(tls: Path, more: str = "") -> str:
    return server(f"scheme: wss, cert: {tls}/server.pem, key: {tls}/server.key{more}")


def port_of(hive: Any) -> int:
    return int(hive.hive.servers["net"].port)


def status(port: int, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught, connect(f"ws://127.0.0.1:{port}/pubsub", **options):
        pass
    response = caught.value.response
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)
    return int(response.status_code)


@pytest.fixture
def two_ways(here: Callable[[str], Any], wait_for: Callable[..., None]) -> Callable[[Any, str], None]:
    """See an event pass from the server's process to a client with this `init`, and one back."""

    def check(hive: Any, init: str) -> None:
        other = here(client(port_of(hive), init))
        assert other.hive.connectors["net"].connected, other.hive.connectors["net"].state
        seen: list[Any] = []
        other.events.hook(lambda data: seen.append(data) or other.events.call("net/here/back", data), "there/event")
        hive.events.hook(lambda data: seen.append(["back", data]), "here/back")
        broker = hive.hive.servers["net"].broker
        wait_for(lambda: "net/there/event" in broker._topics)
        hive.events.call("net/there/event", 1)
        wait_for(lambda: seen == [1, ["back", 1]])
        other.hive.stop()
        wait_for(lambda: not hive.hive.servers["net"].peers)

    return check


def test_a_token_lets_in_and_its_absence_does_not(here: Any, two_ways: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("eventhive.websocket").setLevel(logging.DEBUG)
    try:
        hive = here(server(f"token: {TOKEN}"))
        two_ways(hive, f"token: {TOKEN}")
        port = port_of(hive)
        with connect(f"ws://127.0.0.1:{port}/pubsub", additional_headers={"Authorization": f"Bearer {TOKEN}"}):
            pass
        assert status(port) == 401
        for given in (OTHER, TOKEN[:-1], TOKEN + "x", f"{TOKEN} ", f"{TOKEN}, {TOKEN}"):
            assert status(port, additional_headers={"Authorization": f"Bearer {given} x"}) == 401
        assert status(port, additional_headers={"Authorization": f"Basic {TOKEN}"}) == 401
        assert status(port, additional_headers=[("Authorization", "Bearer"), ("Authorization", TOKEN)]) == 401
        here(client(port, f"token: {OTHER}"))
        here(client(port, ""))
    finally:
        logging.getLogger("eventhive.websocket").setLevel(logging.WARNING)
    text = "\n".join([record.getMessage() for record in caplog.records if record.name.startswith("eventhive")])
    assert "it refuses this token: see 'token' and 'token_file'" in text
    assert "it asks for a token: see 'token' and 'token_file'" in text
    assert re.search(r"net: 127\.0\.0\.1:\d+ is refused: this hive asks for a token", text)
    assert TOKEN not in text and OTHER not in text
    assert TOKEN not in repr(hive.hive.config) and OTHER not in repr(hive.hive.config)


def test_tokens_in_a_file_can_be_replaced_one_program_at_a_time(here: Any, two_ways: Any, tmp_path: Path) -> None:
    for name, lines in (("server", f"{OTHER}\n\n{TOKEN}\n"), ("client", f"{TOKEN}\n"), ("newer", f"{OTHER}\r\n")):
        (tmp_path / name).write_bytes(lines.encode())
        (tmp_path / name).chmod(0o600)
    hive = here(server(f"token_file: {tmp_path}/server"))
    two_ways(hive, f"token_file: {tmp_path}/client")
    two_ways(hive, f"token_file: {tmp_path}/newer")


def test_tls(here: Any, two_ways: Any, tls: Path, caplog: Any) -> None:
    hive = here(secured(tls, f", token: {TOKEN}"))
    two_ways(hive, f"scheme: wss, ca: {tls}/ca.pem, token: {TOKEN}")
    two_ways(hive, f"scheme: wss, ca: {tls}/ca.pem, token: {TOKEN}, server_name: hive.test")
    port = port_of(hive)
    for init, why in (
        (f"scheme: wss, token: {TOKEN}", "its certificate is refused: unable to get local issuer certificate"),
        (f"scheme: wss, ca: {tls}/other.pem", "its certificate is refused: unable to get local issuer certificate"),
        (f"scheme: wss, ca: {tls}/ca.pem, server_name: b.test", "its certificate is refused: Hostname mismatch"),
        (f"scheme: wss, ca: {tls}/ca.pem", "it asks for a token"),
        (f"token: {TOKEN}", "the other end hung up before the upgrade"),
    ):
        connector = here(client(port, init)).hive.connectors["net"]
        assert not connector.connected
        assert why in connector.state


def test_no_tls_where_it_was_expected(here: Any, tls: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            with plain.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer).start()
        state = here(client(plain.getsockname()[1], f"scheme: wss, ca: {tls}/ca.pem")).hive.connectors["net"].state
    assert "no TLS there: WRONG_VERSION_NUMBER" in state


def test_no_tls_at_a_server_of_ours_is_told_at_once(here: Any, tls: Path) -> None:
    hive = here(server("scheme: ws"))
    # Within the time that `init` waits: a server that waited for HTTP would take ten seconds.
    state = here(client(port_of(hive), f"scheme: wss, ca: {tls}/ca.pem")).hive.connectors["net"].state
    assert state.endswith("/pubsub: it hung up: is TLS spoken there?")


def test_a_certificate_may_be_taken_unseen_by_an_explicit_word(here: Any, two_ways: Any, tls: Path) -> None:
    hive = here(server(f"scheme: wss, cert: {tls}/other.pem, key: {tls}/other.key"))
    two_ways(hive, "scheme: wss, insecure: true")


def test_certificate_and_key_in_one_file_and_large_events(here: Any, wait_for: Any, tls: Path) -> None:
    both = tls / "both.pem"
    both.write_text((tls / "server.key").read_text() + (tls / "server.pem").read_text())
    both.chmod(0o640)
    hive = here(server(f"scheme: wss, cert: {both}"))
    other = here(client(port_of(hive), f"scheme: wss, ca: {tls}/ca.pem"))
    seen: list[int] = []
    hive.events.hook(lambda data: seen.append(len(data)), "here/event")
    for _ in range(50):
        other.events.call("net/here/event", "x" * 1_000_000)
    wait_for(lambda: len(seen) == 50)
    other.hive.stop()
    hive.hive.stop()
    assert set(seen) == {1_000_000}


def test_a_client_that_does_not_read_is_cut_off_behind_tls_too(here: Any, tls: Path) -> None:
    hive = here(secured(tls))
    context = client_context(ClientAccess(ca=tls / "ca.pem"))
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    one = hive.hive.servers["net"]
    with (
        socket.create_connection(("127.0.0.1", one.port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as silent,
    ):
        silent.sendall(upgrade + Frame(Opcode.TEXT, classic.subscribe(["t"], "1")).serialize(mask=True))
        silent.recv(1)
        sent = 0
        while one.peers:
            hive.in_loop(hive.hive.networks["net"].publish, "t", "x" * 100_000)
            sent += 1
    assert HIGH_WATER < sent * 100_000 < 4 * MAX_BUFFERED


@pytest.mark.parametrize(
    ("init", "warning"),
    [
        ("", r"anyone who can reach 0\.0\.0\.0:\d+ can read .* set 'token' or 'token_file' \(and 'scheme: wss'\)"),
        (f"token: {TOKEN}", r"anyone who can listen in on 0\.0\.0\.0:\d+ can read .* set 'scheme: wss', 'cert'"),
        (f"token: {TOKEN}, scheme: wss, cert: %s/server.pem, key: %s/server.key", ""),
    ],
)
def test_a_server_for_other_machines_warns_once(here: Any, tls: Path, caplog: Any, init: str, warning: str) -> None:
    here(server(init.replace("%s", str(tls)), "0.0.0.0"))
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == bool(warning)
    assert not warning or re.search(warning, warnings[0])


def test_connections_are_counted(here: Any, monkeypatch: Any, wait_for: Any, caplog: Any) -> None:
    monkeypatch.setattr(admission, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(admission, "REFUSED_CONNECTIONS", 1)
    hive = here(server(""))
    port = port_of(hive)
    door = hive.hive.servers["net"].admission
    with contextlib.ExitStack() as stack:
        one, _ = (stack.enter_context(connect(f"ws://127.0.0.1:{port}/")) for _ in range(2))
        for _ in range(2):
            assert status(port) == 503
            wait_for(lambda: door.connections == 2)
        raw = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(2)]
        assert raw[1].recv(1) == b""
        one.close()
        raw[0].close()
        wait_for(lambda: door.connections == 1)
        stack.enter_context(connect(f"ws://127.0.0.1:{port}/"))
    wait_for(lambda: door.connections == 0)
    assert caplog.text.count("net: more than 2 connections: no others are let in") == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (server("scheme: wss"), "3:90: servers.net.init.scheme: wss needs a certificate"),
        (server("cert: a.pem"), "3:90: servers.net.init.cert: only a server with 'scheme: wss' has a certificate"),
        (server("key: a.pem"), "3:90: servers.net.init.key: only a server with"),
        (server("token: short"), "3:90: servers.net.init.token: a token has 16 to 4096 characters: openssl rand"),
        (server("token: 'with spaces in the middle'"), "3:90: servers.net.init.token: a token has printable ASCII"),
        (server("token: 12345678901234567890"), "3:90: servers.net.init.token: a text is needed"),
        (server(f"token: {TOKEN}, token_file: x"), "3:130: servers.net.init.token_file: there is a 'token' too"),
        (server("ca: x"), "3:90: unknown key 'ca' in servers.net.init"),
        (client(1, "ca: x"), "1:82: connectors.net.init.ca: only a connector with 'scheme: wss' looks at"),
        (client(1, "server_name: x"), "1:82: connectors.net.init.server_name: only a connector with"),
        (client(1, "cert: x"), "1:82: unknown key 'cert' in connectors.net.init"),
    ],
)
def test_bad_configurations(text: str, error: str) -> None:
    settings = Settings()
    settings.read_text(text, "hive.yaml")
    with pytest.raises(ConfigError) as caught:
        build(settings)
    assert str(caught.value).startswith(f"hive.yaml:{error}")
    assert not any(secret in str(caught.value) for secret in (TOKEN, "'short'", "with spaces", "1234567890"))


def test_files_that_cannot_be_used(tls: Path) -> None:
    def token(content: bytes, mode: int = 0o600) -> Token:
        (tls / "token").write_bytes(content)
        (tls / "token").chmod(mode)
        return Token(file=tls / "token")

    good, key = tls / "server.pem", tls / "server.key"
    faults: list[tuple[Callable[[], object], str]] = [
        (lambda: Token(file=tls / "none").read(), "token_file .*none: No such file"),
        (lambda: token(b"x" * 20, 0o640).read(), r"token_file .*token: others may read it \(mode 640\): chmod 600 /"),
        (lambda: token(b"\n \n").read(), "token_file .*: there is no token in it: one a line"),
        (lambda: token(b"short").read(), "token_file .*: a token has 16 to"),
        (lambda: token(b"\xff" * 20).read(), "token_file .*: a token has printable"),
        (lambda: token(f"{TOKEN}\n".encode() * (MAX_TOKENS + 1)).read(), "token_file .*: more than 64 tokens"),
        (lambda: token(b"x" * 400_000).read(), "token_file .*: longer than"),
        (lambda: server_context(ServerAccess(cert=good, key=tls / "none")), "key .*none: No such file"),
        (lambda: server_context(ServerAccess(cert=tls / "none", key=key)), "cert .*none: No such file"),
        (lambda: server_context(ServerAccess(cert=good, key=tls / "other.key")), "the key is that of another"),
        (lambda: server_context(ServerAccess(cert=key, key=key)), r"cert .* and key .*: not in PEM form, or not what"),
        (lambda: server_context(ServerAccess(cert=good)), "not in PEM form"),
        (lambda: client_context(ClientAccess(ca=tls / "none")), "ca .*none: No such file"),
        (lambda: client_context(ClientAccess(ca=key)), "ca .*server.key: not in PEM form"),
    ]
    for use, line in faults:
        with pytest.raises(LocalError, match=line) as caught:
            use()
        assert "\n" not in str(caught.value)
    key.chmod(0o604)
    with pytest.raises(LocalError, match=r"key .*server\.key: others may read it \(mode 604\)"):
        server_context(ServerAccess(cert=good, key=key))
    assert client_context(ClientAccess()).verify_mode == ssl.CERT_REQUIRED
    assert client_context(ClientAccess()).check_hostname


def test_a_key_with_a_password_does_not_ask_the_terminal(tls: Path) -> None:
    with pytest.raises(LocalError, match="the key is encrypted: decrypt it"):
        server_context(ServerAccess(cert=tls / "server.pem", key=tls / "protected.key"))
