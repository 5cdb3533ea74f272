"""Who gets into the page: over real HTTP, with a client that leaves out and forges what it likes."""

import stat
from collections.abc import Iterator

import pytest
from boards import at_place
from pages import PagePlace

from eventhive.config import build
from eventhive.page.login import FREE_ATTEMPTS, LOGIN_S, MAX_ADDRESSES, MAX_LOGINS, PAUSE_S, Attempts, Logins
from eventhive.settings import ConfigError, Settings


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagePlace]:
    """A page with a login that runs for several tests; nobody tries a wrong token there."""
    folder = tmp_path_factory.mktemp("shared")
    with at_place(folder, folder) as place:
        yield PagePlace(place).start()


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagePlace]:
    """A page without a login."""
    folder = tmp_path_factory.mktemp("unlocked")
    with at_place(folder, folder) as place:
        yield PagePlace(place).start(options=", login: false")


def test_the_token_is_shown_once_and_kept_as_a_hash(page: PagePlace) -> None:
    page.start()
    file = page.place.folder / "gateway.page"
    assert len(page.token) == 24
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert page.token not in file.read_text()
    page.hub.kill()
    page.restart()
    assert page.hub.seen("log in with") == []
    assert page.login(page.token).status == 303
    page.hub.kill()
    file.unlink()
    old = page.token
    page.restart()
    assert page.token != old
    assert page.login(old).status == 401
    assert page.login(page.token).status == 303


def test_a_file_that_others_may_read_is_refused(page: PagePlace) -> None:
    page.start()
    page.hub.kill()
    file = page.place.folder / "gateway.page"
    file.chmod(0o640)
    done = page.place.command("gateway", "-c", "gateway.yaml")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"others may use it: chmod 600 {file.name}" in done.stderr.replace(f"{page.place.folder}/", "")
    file.chmod(0o600)
    file.write_text("sha256:nothing\n")
    assert "not the hash of one: delete the file" in page.place.command("gateway", "-c", "gateway.yaml").stderr


def test_without_a_login_there_is_nothing(shared: PagePlace) -> None:
    assert (shared.ask("/").status, shared.ask("/").headers["Location"]) == (303, "/login")
    for path in ("/static/page.js", "/api/state", "/nothing"):
        answer = shared.ask(path)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "my-hive" not in answer.text
    for given in (shared.token[:-1], shared.token + "x", "", "é"):
        assert shared.ask("/", Cookie=f"eventhive-{shared.port}={given}".encode().decode("latin-1")).status == 303
    assert "<form" in shared.ask("/login").text


def test_login_and_logout(shared: PagePlace) -> None:
    answer = shared.login(shared.token)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    attributes = {one.strip() for one in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= attributes
    assert shared.token not in answer.headers["Set-Cookie"]
    shown = shared.ask("/", Cookie=shared.cookie)
    assert shown.status == 200
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Server"] == "EventHive"
    assert shared.ask("/logout", "POST", Cookie=shared.cookie, Sec_Fetch_Site="same-origin").status == 303
    assert shared.ask("/", Cookie=shared.cookie).status == 303


def test_a_program_shows_the_token(page: PagePlace) -> None:
    page.start()
    assert page.bearer("/static/page.js").status == 200
    for length in range(len(page.token)):
        # Prefixes: none of them passes, and after a few of them not even the token does, for a while.
        assert page.ask("/static/page.js", Authorization=f"Bearer {page.token[:length]}").status == 401
    assert page.bearer("/static/page.js").status == 401
    assert page.ask("/healthz").status == 200


def test_wrong_tokens_cost_time(page: PagePlace) -> None:
    page.start()
    for count in range(FREE_ATTEMPTS):
        answer = page.login(f"wrong-{count}")
        assert answer.status == (401 if count < FREE_ATTEMPTS - 1 else 429)
    assert 0 < int(answer.headers["Retry-After"]) <= PAUSE_S + 1
    assert "Too many wrong tokens" in answer.text
    assert page.login(page.token).status == 429
    assert len(page.hub.seen("a wrong token from 127.0.0.1")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_another_page_cannot_post(shared: PagePlace, headers: dict[str, str]) -> None:
    shared.login(shared.token)
    assert shared.ask("/logout", "POST", Cookie=shared.cookie, **headers).status == 403
    assert shared.ask("/", Cookie=shared.cookie).status == 200
    own = {"Sec_Fetch_Site": "same-origin", "Origin": f"http://127.0.0.1:{shared.port}"}
    assert shared.ask("/logout", "POST", Cookie=shared.cookie, **own).status == 303


FOREIGN = [{"Host": "evil.example"}, {"X_Forwarded_For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_metrics_without_the_token_are_for_this_machine(shared: PagePlace, headers: dict[str, str]) -> None:
    """A page whose name leads here, and a proxy, are others."""
    assert shared.ask("/metrics").status == 200
    assert shared.ask("/metrics", Host=f"localhost:{shared.port}").status == 200
    assert shared.ask("/metrics", **headers).status == 401
    assert shared.bearer("/metrics", **headers).status == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_without_a_login_is_for_this_machine(unlocked: PagePlace, headers: dict[str, str]) -> None:
    assert unlocked.hub.seen("log in with") == []
    assert not (unlocked.place.folder / "gateway.page").exists()
    assert unlocked.ask("/").status == 200
    assert unlocked.ask("/login").status == 303
    refused = unlocked.ask("/", **headers)
    assert (refused.status, "for this machine alone" in refused.text) == (403, True)
    assert unlocked.ask("/healthz", **headers).status == 200


def test_others_can_reach_it_with_a_warning_and_the_token(page: PagePlace) -> None:
    page.start(options=", host: 0.0.0.0")
    page.hub.expect("others can read along")
    assert page.ask("/metrics").status == 401
    assert page.bearer("/metrics").status == 200


def http(text: str) -> None:
    settings = Settings()
    settings.read_text(f"gateway:\n  http: {text}\n", "gateway.yaml")
    build(settings)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{host: 0.0.0.0, login: false}", "25: gateway.http.login: others can reach 0.0.0.0: only a page on 127.0.0.1"),
        ("{host: pi.local, login: false}", "26: gateway.http.login: others can reach pi.local"),
        ("{host: ''}", "10: gateway.http.host: a name or an address is needed"),
        ("{port: 70000}", "10: gateway.http.port: an integer from 0 to 65535 is needed"),
        ("{key: a.pem}", "10: gateway.http.key: there is no certificate to this key"),
        ("{prot: 1}", "10: unknown key 'prot' in gateway.http (did you mean 'port'?)"),
        ("8087", "3: gateway.http: a mapping (key: value) is needed"),
    ],
)
def test_what_cannot_be_configured(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        http(text)
    assert str(raised.value).startswith(f"gateway.yaml:2:{problem}")


def test_a_port_that_is_taken(page: PagePlace) -> None:
    page.start()
    (page.place.folder / "second.yaml").write_text(
        f"gateway:\n  websocket: false\n  http: {{port: {page.port}, login: false}}\n"
    )
    done = page.place.command("gateway", "-c", "second.yaml")
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{page.port}: another program listens there" in done.stderr
    assert "Traceback" not in done.stderr


class TestPure:
    def test_logins_end_and_are_bounded(self) -> None:
        logins = Logins()
        names = [logins.open(0) for _ in range(MAX_LOGINS)]
        assert logins.holds(names[0], 1)
        newest = logins.open(2)
        # The one that has not come for longest is out.
        assert [logins.holds(name, 3) for name in (names[0], names[1], names[2], newest)] == [True, False, True, True]
        assert logins.holds(newest, 3 + LOGIN_S - 1)
        assert not logins.holds(newest, 3 + 2 * LOGIN_S)
        assert not logins.holds("", 3)

    def test_addresses_are_bounded(self) -> None:
        attempts = Attempts()
        for number in range(FREE_ATTEMPTS):
            attempts.wrong("a", 0)
            assert (attempts.wait_s("a", 1) > 0) == (number == FREE_ATTEMPTS - 1)
        assert attempts.wait_s("b", 1) == 0
        assert attempts.wait_s("a", PAUSE_S) == 0
        for number in range(MAX_ADDRESSES):
            attempts.wrong(str(number), 0)
        assert len(attempts._of) == MAX_ADDRESSES
        assert attempts.failed == MAX_ADDRESSES + FREE_ATTEMPTS
