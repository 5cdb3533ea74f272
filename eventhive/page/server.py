"""The page put together: its addresses, its start and its end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from .api import Api
from .doors import FIELD_BYTES, IDLE_S, LINE_BYTES, LINGER_S, MAX_FIELDS, Doors
from .guard import Guard, problem
from .metrics import metrics
from .notes import Notes
from .prometheus import CONTENT_TYPE
from .source import Source
from .telemetry import SAMPLE_S

# The largest body: a request for a hook, which a device takes one kilobyte of.
BODY_BYTES = 16 * 1024

# How long the gateway waits at its end for answers that are on their way.
SHUTDOWN_S = 1.0

# What browsers send, with one field.
MAX_FORM_FIELDS = 8
FORM = "application/x-www-form-urlencoded"

STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# In place of this line, the page of the login says what was wrong.
_MESSAGE = "<!-- message -->"

# What aiohttp logs goes here.
_quiet = logging.getLogger("eventhive.gateway.page")

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
        _quiet.addFilter(_is_ours)
        app = web.Application(middlewares=[self.guard.middleware], client_max_size=BODY_BYTES)
        app.on_response_prepare.append(self.guard.prepare)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(
            app,
            logger=_quiet,
            access_log=None,
            shutdown_timeout=SHUTDOWN_S,
            keepalive_timeout=IDLE_S,
            lingering_time=LINGER_S,
            max_line_size=LINE_BYTES,
            max_field_size=FIELD_BYTES,
            max_headers=MAX_FIELDS,
            # A body could inflate to a thousand times its length.
            auto_decompress=False,
        )

    async def start(self) -> None:
        """Open the port; `LocalError` says why that is not possible."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner has no server after its setup")
        doors = self.guard.doors = Doors(server, lambda: self._connections)
        self._listener = await self._listen(doors, doors.admits)
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

    @property
    def _connections(self) -> list[Any]:
        return self._runner.server.connections if self._runner.server is not None else []

    async def _sample(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(SAMPLE_S)
            now = time.monotonic()
            self.notes.telemetry.sample(self.source.pulse(), now - last)
            self.notes.history.settle()
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
        if request.content_type != FORM:
            return problem(415, f"{FORM} is needed")
        body = (await request.read()).decode(errors="replace")
        try:
            fields = parse_qs(body, max_num_fields=MAX_FORM_FIELDS)
        except ValueError:
            return problem(400, "the form has one field")
        cookie, wait_s = self.guard.enter(request, fields.get("token", [""])[0].strip())
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


def _is_ours(record: logging.LogRecord) -> bool:
    """False for a fault of a request: anybody could fill a disk with the traceback that aiohttp logs for each."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
