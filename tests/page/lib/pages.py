"""The page of a gateway that is a process of its own, and a client that sends exactly what it is told to."""

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from boards import DEADLINE_S, Hub, Place

from eventhive.cli.chaos.ports import free_port


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class PagePlace:
    """A place whose gateway has a page; `options` go into its configuration."""

    def __init__(self, place: Place):
        self.place = place
        self.port = free_port()
        self.hub: Hub = None  # type: ignore[assignment]
        self.token = ""
        self.cookie = ""

    def start(self, *hooks: str, options: str = "", text: str = "") -> "PagePlace":
        """Start the gateway."""
        self.place.add(f"{text}  http: {{port: {self.port}{options}}}\n")
        return self.restart(*hooks)

    def restart(self, *hooks: str) -> "PagePlace":
        """Start it (again)."""
        self.hub = self.place.hub(*hooks)
        found = [re.search("log in with the token (.*?) ", line) for line in self.hub.seen("log in with the token")]
        if found and found[0]:
            self.token = found[0][1]
        return self

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        """Send a request; `_` in the names of headers stands for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def login(self, token: str, **headers: str) -> Answer:
        """Send the form of the login, as a browser does."""
        form = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin", **headers}
        answer = self.ask("/login", "POST", urlencode({"token": token}), **form)
        if answer.status == 303:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    def bearer(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        """Ask as a program does."""
        return self.ask(path, method, body, Authorization=f"Bearer {self.token}", **headers)

    def until(self, path: str, wanted: Callable[[Any], bool]) -> Any:
        """Ask until the answer is as wanted; returns it."""
        end = time.monotonic() + DEADLINE_S
        while True:
            answer = self.bearer(path)
            assert answer.status == 200, answer.text
            if wanted(answer.json):
                return answer.json
            assert time.monotonic() < end, answer.text

    def post(self, device: str, asked: Any) -> Answer:
        """Ask a hook of a device."""
        body = asked if isinstance(asked, str) else json.dumps(asked)
        return self.bearer(f"/api/devices/{device}/request", "POST", body)

    def device(self, name: str) -> Any:
        """What the page says of a device in its list."""
        return next(one for one in self.bearer("/api/state").json["devices"] if one["name"] == name)

    @contextmanager
    def events(self, query: str = "", **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of the live tail, with their ids."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", f"/api/events{query}", None, {"Authorization": f"Bearer {self.token}", **named})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        try:
            yield _events(response)
        finally:
            response.close()
            connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    fields: dict[str, str] = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield {"id": fields.get("id"), "kind": fields.get("event", "message"), "data": json.loads(fields["data"])}
            fields = {}
