"""What stands before every answer of the page: who may have it, and what a browser may do with it.

Rules of this file:
1. Whatever is not in `OPEN` needs a login, a token in a header, or a page that is for this machine alone.
2. "This machine" is decided by the bound address and by the name that was asked for: a foreign page whose name leads
   here (DNS rebinding), and a proxy that brings others, are not of this machine.
3. What changes something is asked for by this page itself, or by a program that shows the token.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from ..bounded_log import is_told
from .doors import BODY_S, Doors
from .login import Attempts, Logins, Token

OPEN = {"/healthz", "/readyz", "/login", "/static/page.css", "/static/icon.svg"}
# What a page that is for this machine alone gives without a login.
LOCAL = {"/metrics"}

_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer", with which a browser would send no origin with the forms of the page.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    # aiohttp's says which version to look up weaknesses of.
    "Server": "EventHive",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

logger = logging.getLogger("eventhive.gateway")


class Guard:
    """The guard of a page with this configuration."""

    def __init__(self, config: Any):
        self.config = config
        self.token = Token(config.token) if config.login else None
        self.logins = Logins()
        self.attempts = Attempts()
        self.doors: Doors | None = None
        # A cookie knows no ports: two gateways on one machine have cookies of their own.
        self.cookie = f"eventhive-{config.port}"

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, or refuse it."""
        if self.doors is not None and request.transport is not None:
            self.doors.heard(request.transport)
        free = request.path in OPEN or (request.path in LOCAL and self.is_local(request))
        if not free and not self._admitted(request):
            return self._refusal(request)
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            if not _is_own(request):
                return problem(403, "this was not asked for by the page itself")
            try:
                await asyncio.wait_for(request.read(), BODY_S)
            except TimeoutError:
                return problem(408, "the body did not come")
        return await handler(request)

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give a response its headers."""
        response.headers.update(HEADERS)

    def is_local(self, request: web.Request) -> bool:
        """True for a request that can only be one of this machine."""
        if not self.config.local or any(name in request.headers for name in _FORWARDED):
            return False
        return (_host(request).hostname or "") in _LOCAL_NAMES

    def enter(self, request: web.Request, given: str) -> tuple[str, float]:
        """Try a token: the value of a cookie, empty where it is wrong, and how many seconds to wait before the next."""
        now, address = time.monotonic(), request.remote or ""
        if self.token is None:
            return "", 0
        wait_s = self.attempts.wait_s(address, now)
        if wait_s:
            return "", wait_s
        if self.token.matches(given):
            self.attempts.right(address)
            return self.logins.open(now), 0
        self._wrong(address, now)
        return "", self.attempts.wait_s(address, now)

    def leave(self, request: web.Request) -> None:
        """Log out."""
        self.logins.close(request.cookies.get(self.cookie, ""))

    def _admitted(self, request: web.Request) -> bool:
        if self.token is None:
            return self.is_local(request)
        bearer = _bearer(request)
        if bearer:
            now, address = time.monotonic(), request.remote or ""
            if self.attempts.wait_s(address, now):
                return False
            if self.token.matches(bearer):
                return True
            self._wrong(address, now)
            return False
        return self.logins.holds(request.cookies.get(self.cookie, ""), time.monotonic())

    def _wrong(self, address: str, now: float) -> None:
        self.attempts.wrong(address, now)
        if is_told(self.attempts.failed):
            logger.warning("page: a wrong token from %s (%d so far)", address, self.attempts.failed)

    def _refusal(self, request: web.Request) -> web.StreamResponse:
        if self.token is None:
            return problem(403, "this page has no login, and is for this machine alone: open it as http://127.0.0.1")
        if request.method == hdrs.METH_GET and request.path == "/":
            return web.HTTPSeeOther("/login")
        refused = problem(401, "log in, or send the token: Authorization: Bearer TOKEN")
        refused.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        return refused


def problem(status: int, why: str) -> web.Response:
    """An answer that says what was wrong."""
    return web.json_response({"error": why}, status=status)


def _bearer(request: web.Request) -> str:
    kind, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


def _is_own(request: web.Request) -> bool:
    """True unless a browser says that another page asks; programs say nothing of that."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get(hdrs.HOST)
    # A browser without either header would carry the cookie without saying for whom.
    return site is not None or hdrs.COOKIE not in request.headers


def _host(request: web.Request) -> Any:
    return urlsplit(f"//{request.headers.get(hdrs.HOST, '')}")
