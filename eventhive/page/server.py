"""The page put together: its addresses, its start and its end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from .api import Api
from .guard import Guard
from .metrics import metrics
from .notes import Notes
from .prometheus import CONTENT_TYPE
from .source import Source
from .telemetry import SAMPLE_S

# Open at a time: a few people with a few windows each, Prometheus and a probe. Each costs some 100 KB at most.
MAX_CONNECTIONS = 64

# The largest body: a request for a hook, which a device takes one kilobyte of.
BODY_BYTES = 16 * 1024

# How long the gateway waits at its end for answers that are on their way.
SHUTDOWN_S = 1.0

STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# In place of this line, the page of the login says what was wrong.
_MESSAGE = "<!-- message -->"

Listen = Callable[[Any, Callable[[str], bool]], Awaitable[Any]]

logger = logging.getLogger("eventhive.gateway")


class Page:
    """The page of a gateway; `listen(factory, admits)` opens its port."""

    def __init__(self, config: Any, source: Source, notes: Notes, listen: Listen):
        self.config = config
        self.address = ""
        self.source = source
        self.notes = notes
        self.guard = Guard(config)
        self._listen = listen
        self._listener: Any = None
        self._sampler: asyncio.Task[None] | None = None
        self._files = {path.name: path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.is_file()}
        app = web.Application(middlewares=[self.guard.middleware], client_max_size=BODY_BYTES)
        app.on_response_prepare.append(self.guard.prepare)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, handle_signals=False)

    async def start(self) -> None:
        """Open the port; `LocalError` says why that is not possible."""
        await self._runner.setup()
        self._listener = await self._listen(self._runner.server, self._admits)
        host, port = self._listener.sockets[0].getsockname()[:2]
        self.address = f"{'https' if self.config.access.cert else 'http'}://{_shown(host)}:{port}"
        self._sampler = asyncio.get_running_loop().create_task(self._sample())
        self._tell()

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._listener is not None:
            self._listener.close()
        if self._sampler is not None:
            self._sampler.cancel()
        await self._runner.cleanup()

    # The rest is private.

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", _healthz),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._metrics),
            web.get("/login", self._login_page),
            web.post("/login", self._login),
            web.post("/logout", self._logout),
            web.get("/", self._file("index.html")),
            *[web.get(f"/static/{name}", self._file(name)) for name in self._files if not name.endswith(".html")],
            *Api(self.source, self.notes, self.config.login).routes(),
        ]

    def _tell(self) -> None:
        logger.info("page at %s", self.address)
        if not self.config.local and self.config.access.cert is None:
            what = "page: others can read along on the way to %s, the token too: set gateway.http.cert and key"
            logger.warning(what, self.address)
        if self.guard.token is not None and self.guard.token.fresh:
            what = "page: log in with the token %s (shown this once; for a new one delete %s and start again)"
            logger.warning(what, self.guard.token.fresh, self.config.token)
            self.guard.token.fresh = ""

    def _admits(self, host: str) -> bool:
        return len(self._connections) < MAX_CONNECTIONS

    @property
    def _connections(self) -> list[Any]:
        return self._runner.server.connections if self._runner.server is not None else []

    async def _sample(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(SAMPLE_S)
            now = time.monotonic()
            self.notes.telemetry.sample(self.source.pulse(), now - last, time.time())
            last = now

    async def _readyz(self, request: web.Request) -> web.Response:
        ready = self.source.ready()
        return web.Response(text="ready\n" if ready else "not ready\n", status=200 if ready else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        text = metrics(self.source, self.notes.telemetry, self._counters())
        return web.Response(body=text.encode(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    def _counters(self) -> dict[str, float]:
        tail = self.notes.tail
        return {
            "connections": len(self._connections),
            "logins_failed_total": self.guard.attempts.failed,
            "readers": len(tail.readers),
            "readers_dropped_total": tail.dropped,
        }

    def _file(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        text, kind = self._files[name], _TYPES[Path(name).suffix]

        async def answer(request: web.Request) -> web.Response:
            return web.Response(text=text, content_type=kind)

        return answer

    async def _login_page(self, request: web.Request) -> web.StreamResponse:
        if self.guard.token is None:
            return web.HTTPSeeOther("/")
        return self._form(200, "")

    async def _login(self, request: web.Request) -> web.StreamResponse:
        given = (await request.post()).get("token", "")
        cookie, wait_s = self.guard.enter(request, given.strip() if isinstance(given, str) else "")
        if not cookie:
            if wait_s:
                return self._form(429, f"Too many wrong tokens: try again in {wait_s:.0f} s.", wait_s)
            return self._form(401, "That is not the token.")
        answer = web.Response(status=303, headers={hdrs.LOCATION: "/"})
        secure = self.config.access.cert is not None
        answer.set_cookie(self.guard.cookie, cookie, httponly=True, samesite="Strict", secure=secure, path="/")
        return answer

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        self.guard.leave(request)
        answer = web.Response(status=303, headers={hdrs.LOCATION: "/login"})
        answer.del_cookie(self.guard.cookie, path="/")
        return answer

    def _form(self, status: int, message: str, wait_s: float = 0) -> web.Response:
        alert = f'<p class="alert" role="alert">{message}</p>' if message else ""
        answer = web.Response(
            text=self._files["login.html"].replace(_MESSAGE, alert), status=status, content_type="text/html"
        )
        if wait_s:
            answer.headers[hdrs.RETRY_AFTER] = str(int(wait_s) + 1)
        return answer


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
