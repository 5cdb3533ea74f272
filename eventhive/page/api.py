"""The JSON of the page, for the page itself and for programs.

    GET  /api/state?filter=TEXT          the gateway, its networks, and devices whose names have this text
    GET  /api/devices/NAME               one device: rights, hooks, key, last values
    POST /api/devices/NAME/request       {"event": "network/channel/event", "data": …, "timeout": 10} -> {"value": …}
    GET  /api/events?device=…&name=GLOB  events as they come (server-sent events)

Each error is {"error": "what is wrong"}, with a status that says whose fault it is.
"""

import time
from typing import Any

from aiohttp import web

from ..core.errors import EventHiveError
from ..core.json_host import dumps, loads
from ..core.outcomes import RequestTimeout
from .guard import problem
from .notes import Notes
from .shown import shown, shown_text
from .source import Source, UnknownDeviceError
from .stream import stream
from .telemetry import Noted

# Devices in one answer: more than a person reads; the filter finds the others.
MAX_SHOWN = 200

# Requests of the page to devices at a time, and how long one may wait.
MAX_ASKED = 16
MAX_WAIT_S = 60
WAIT_S = 10


class Api:
    """The JSON of a gateway and of what was noted of it."""

    def __init__(self, source: Source, notes: Notes, login: bool):
        self._source = source
        self._notes = notes
        self._login = login
        self._asked = 0

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [
            web.get("/api/state", self._state),
            web.get("/api/devices/{name}", self._device),
            web.post("/api/devices/{name}/request", self._request),
            web.get("/api/events", self._events),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        wanted = request.query.get("filter", "").lower()
        devices = self._source.devices()
        found = sorted([one for one in devices if wanted in one["name"].lower()], key=lambda one: one["name"])
        state = {
            "now": round(time.time(), 1),
            "gateway": {
                **self._source.gateway(),
                "lag_s": round(self._notes.telemetry.lag_s, 3),
                "ready": self._source.ready(),
                "login": self._login,
            },
            "networks": self._source.networks(),
            "ports": self._source.ports(),
            "devices": [self._with_notes(one) for one in found[:MAX_SHOWN]],
            "found": len(found),
            "known": len(devices),
            "online": sum(one["online"] for one in devices),
        }
        return _json(state)

    async def _device(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            device = self._source.device(name)
        except UnknownDeviceError as error:
            return problem(404, str(error))
        values = {
            shown_text(event): {
                "time": round(value.time, 1),
                "count": value.count,
                "text": shown(value.data),
                "numbers": {shown_text(label): series.points() for label, series in value.numbers.items()},
            }
            for event, value in self._notes.history.of(name).items()
        }
        console = [{"time": round(at, 1), "text": shown_text(text)} for at, text in self._notes.consoles.of(name)]
        return _json({"now": round(time.time(), 1), "name": name, **device, "values": values, "console": console})

    async def _request(self, request: web.Request) -> web.Response:
        try:
            event, data, seconds = _question((await request.read()).decode(errors="replace"))
        except ValueError as error:
            return problem(400, str(error))
        if self._asked >= MAX_ASKED:
            return problem(429, f"{MAX_ASKED} requests wait for answers already")
        name = request.match_info["name"]
        self._asked += 1
        try:
            return _json({"value": await self._source.request(name, event, data, seconds)})
        except UnknownDeviceError as error:
            return problem(404, str(error))
        except RequestTimeout as error:
            return problem(504, str(error))
        except EventHiveError as error:
            return problem(502, shown_text(str(error)))
        finally:
            self._asked -= 1

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await stream(request, self._notes.tail)

    def _with_notes(self, device: dict[str, Any]) -> dict[str, Any]:
        noted = self._notes.telemetry.devices.get(device["name"], Noted())
        return {**device, "rate": round(noted.rate, 2)}


def _question(text: str) -> tuple[str, Any, float]:
    """What a request for a hook says; `ValueError` says what is wrong with it."""
    try:
        asked = loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("event"), str):
        raise ValueError('an object with "event", the full name of a hook, is needed')
    seconds = asked.get("timeout", WAIT_S)
    if type(seconds) not in (int, float) or not 0 < seconds <= MAX_WAIT_S:
        raise ValueError(f'"timeout" is seconds, up to {MAX_WAIT_S}')
    return asked["event"], asked.get("data"), seconds


def _json(value: Any) -> web.Response:
    return web.json_response(text=dumps(value))
