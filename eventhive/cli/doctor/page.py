"""The page of a gateway: what it needs to be served, and to whom it is open."""

from collections.abc import Iterator
from importlib.util import find_spec

from .finding import Finding, note, ok, problem, warning
from .subject import Subject

# What the extra `page` installs.
LIBRARY = "aiohttp"


def check(subject: Subject) -> Iterator[Finding]:
    """Where one is configured."""
    http = subject.gateway.http
    if http is None:
        yield ok("none is configured")
        return
    if find_spec(LIBRARY) is None:
        yield problem("'gateway: http:' needs a library that is not installed", "pip install 'eventhive[page]'")
        return
    if not http.login:
        yield note("the page has no login: every program and user of this machine may see it", "set 'login: true'")
    elif not http.token.exists():
        yield note(f"{http.token}: the token of the page is made at the next start, and shown in its log, once")
    if not http.local and http.access.cert is None:
        what = f"the page at {http.host}:{http.port} has no TLS: its token can be read on the way"
        yield warning(what, "set gateway.http.cert and key, or put a proxy with TLS before it")
    if subject.running is not None and not subject.running.ping.get("page"):
        yield warning("the gateway that runs serves no page", "restart it: it has an older file")
    else:
        yield ok(f"the page at {http.host}:{http.port} can be served")
