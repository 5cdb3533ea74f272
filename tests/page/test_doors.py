"""What a stranger can hold of the page: connections that say nothing, too much, or never end; over real sockets."""

import gzip
import http.client
import socket
import ssl
from collections.abc import Iterator

import pytest
from boards import DEADLINE_S, HUB, ROOT, Hub, at_place
from pages import PagePlace

from eventhive.page.doors import FIELD_BYTES, MAX_FIELDS, MAX_PER_ADDRESS
from eventhive.page.server import BODY_BYTES, FORM

# The program of a gateway whose page has less patience than one that people use.
HASTY = f"""
import eventhive.page.doors, eventhive.page.guard
eventhive.page.doors.HEAD_S = eventhive.page.guard.BODY_S = 1.0
{HUB}
"""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagePlace]:
    """A page that waits for a second."""
    folder = tmp_path_factory.mktemp("hasty")
    with at_place(folder, folder) as place:
        page = PagePlace(place)
        place.add(f"  http: {{port: {page.port}}}\n")
        hub: Hub = place.hub(program=HASTY)
        page.hub = hub
        yield page


def connect(page: PagePlace) -> socket.socket:
    return socket.create_connection(("127.0.0.1", page.port), DEADLINE_S)


def rest(client: socket.socket) -> bytes:
    """All that still comes; the end of it is the page's."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    client.close()
    return found


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: "])
def test_who_does_not_say_what_it_wants_is_let_go(hasty: PagePlace, said: bytes) -> None:
    client = connect(hasty)
    client.sendall(said)
    assert rest(client) == b""


def test_a_body_that_never_comes(hasty: PagePlace) -> None:
    client = connect(hasty)
    head = "POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n"
    client.sendall(f"{head}Content-Type: {FORM}\r\n\r\ntoke".encode())
    assert b" 408 " in rest(client)


def test_an_open_connection_stays_open(hasty: PagePlace) -> None:
    """Whoever has asked once is no stranger to the clock."""
    client, silent = connect(hasty), connect(hasty)
    with client, client.makefile("rb") as answers:
        for number in range(2):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in answers.readline()
            while answers.readline() not in (b"ok\n", b""):
                pass
            if number == 0:
                # The other one is let go in between.
                assert rest(silent) == b""


def test_one_address_has_a_share(hasty: PagePlace) -> None:
    silent = [connect(hasty) for _ in range(MAX_PER_ADDRESS)]
    assert rest(connect(hasty)) == b""
    for client in silent:
        assert rest(client) == b""
    assert hasty.ask("/healthz").status == 200


def test_heads_are_bounded(hasty: PagePlace) -> None:
    assert hasty.ask("/healthz", A="x" * (FIELD_BYTES - 10)).status == 200
    assert hasty.ask("/healthz", A="x" * (FIELD_BYTES + 10)).status == 400
    assert hasty.ask("/" + "x" * 5000).status == 400
    assert hasty.ask("/healthz", **{f"A{number}": "x" for number in range(MAX_FIELDS + 1)}).status == 400


def test_nothing_is_inflated(hasty: PagePlace) -> None:
    bomb = gzip.compress(b"token=" + b"x" * 50_000_000)[:BODY_BYTES].decode("latin-1")
    assert hasty.ask("/login", "POST", bomb, Content_Type=FORM, Content_Encoding="gzip").status == 401


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (f"{FORM}; charset=no-such", "token=x"),
        (f"{FORM}; charset=utf-16", "token=x"),
        (FORM, "token=\xff\xfe"),
        (FORM, "token=%ff%00&token&=&token[]=1"),
        (FORM, "&" * 1000),
        (FORM, ""),
        ("multipart/form-data; boundary=x", "x"),
        ("multipart/form-data", "x"),
        ("application/json", "{"),
        ("/", "x"),
    ],
)
def test_a_form_that_no_browser_sends(hasty: PagePlace, kind: str, body: str) -> None:
    try:
        assert hasty.ask("/login", "POST", body, Content_Type=kind).status in (400, 401, 415, 429)
    finally:
        assert hasty.hub.seen("Traceback") == []


def test_tls(page: PagePlace) -> None:
    """The files of a certificate, a cookie for TLS alone, and no warning."""
    folder = ROOT / "tests/hive/tls"
    key = page.place.folder / "server.key"
    key.write_bytes((folder / "server.key").read_bytes())
    key.chmod(0o600)
    page.start(options=f", host: 0.0.0.0, cert: {folder}/server.pem, key: server.key")
    assert page.hub.seen("others can read along") == []
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.check_hostname = False
    client = http.client.HTTPSConnection("127.0.0.1", page.port, timeout=DEADLINE_S, context=context)
    form = {"Content-Type": FORM, "Sec-Fetch-Site": "same-origin"}
    client.request("POST", "/login", f"token={page.token}", form)
    answer = client.getresponse()
    assert answer.status == 303
    assert "Secure" in (answer.headers["Set-Cookie"] or "")
    client.close()
    # Whoever speaks no TLS gets nothing, and costs the gateway no more than that.
    plain = connect(page)
    plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"HTTP" not in rest(plain)
    assert page.hub.seen("Traceback") == []
