"""The page of a gateway that is a process of its own, and a client that sends exactly what it is told to."""

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode

from boards import DEADLINE_S, Hub, Place, free_port


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
