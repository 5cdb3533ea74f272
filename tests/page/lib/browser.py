"""A real Chromium without a window, driven over its DevTools protocol."""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boards import DEADLINE_S
from websockets.sync.client import connect

# Debian's and other distributions' names.
NAMES = ("chromium", "chromium-browser", "google-chrome")

_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-port=0", "--force-device-scale-factor=1", "--lang=en-GB"),
)

# Waits in the page until an expression is true, and returns it.
_WAIT = """new Promise((done, fail) => {
  const end = Date.now() + %d;
  const look = () => {
    let found = null;
    try { found = (%s); } catch {}
    if (found) done(found);
    else if (Date.now() > end) fail(new Error("not so in time; the page says:\\n" + document.body.innerText));
    else setTimeout(look, 20);
  };
  look();
})"""


def chromium() -> str | None:
    """Where Chromium is, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One tab. `problems` are exceptions, refused loads and violations of the page's policy, as the browser tells."""

    def __init__(self, socket: Any, session: str):
        self.problems: list[str] = []
        self._socket = socket
        self._session = session
        self._number = 0
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, "sessionId": self._session}
        self._socket.send(json.dumps(message))
        return self._until(lambda answer: answer.get("id") == self._number)["result"]

    def open(self, url: str) -> None:
        """Go to a page; returns when it is loaded."""
        self.do("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, expression: str) -> Any:
        """The value of an expression in the page."""
        given = self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in given:
            raise AssertionError(given["exceptionDetails"].get("exception", {}).get("description", given))
        return given["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Wait until an expression is true, also where that is on the next page; returns its value."""
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                return self.run(_WAIT % (DEADLINE_S * 1000, expression))
            except KeyError:
                # The page that was looked at has been left.
                assert time.monotonic() < end, expression

    def text(self, selector: str) -> str:
        """What an element says."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def wait_text(self, selector: str, text: str) -> None:
        """Wait until an element says something."""
        self.wait(f"document.querySelector({json.dumps(selector)}).innerText.includes({json.dumps(text)})")

    def focus(self, selector: str) -> None:
        """Put the focus somewhere."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")

    def key(self, key: str) -> None:
        """Press a key."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def type(self, selector: str, text: str) -> None:
        """Replace what a field holds, as by typing."""
        self.focus(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.do("Input.insertText", text=text)

    def size(self, width: int, height: int, dark: bool = False) -> None:
        """Be a screen of this size, light or dark."""
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> Path:
        """A screenshot."""
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"]))
        return path

    def nameless(self) -> list[str]:
        """What a screen reader could not name: controls, pictures and tables without a name."""
        named = {"button", "textbox", "searchbox", "combobox", "image", "img", "link", "table", "list", "region"}
        nodes = self.do("Accessibility.getFullAXTree")["nodes"]
        return [
            json.dumps(node.get("role"))
            for node in nodes
            if not node.get("ignored")
            and node.get("role", {}).get("value") in named
            and not node.get("name", {}).get("value")
        ]

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + 2 * DEADLINE_S
        while True:
            message = json.loads(self._socket.recv(timeout=max(end - time.monotonic(), 0.01)))
            if message.get("sessionId") != self._session:
                # Of a tab of another test.
                continue
            if wanted(message):
                return dict(message) if "result" in message else {}
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(message["params"]["exceptionDetails"]))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                entry = message["params"]["entry"]
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")


@contextmanager
def browser(program: str, folder: Path) -> Iterator[Callable[[], Tab]]:
    """A running Chromium; what it gives opens a tab of a person who was never here."""
    command = [program, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        lines = (re.search(r"DevTools listening on (ws://\S+)", line) for line in process.stderr)
        found = next(filter(None, lines), None)
        assert found, "Chromium did not start"
        with connect(found[1], max_size=None, proxy=None) as socket:

            def ask(method: str, **parameters: Any) -> Any:
                socket.send(json.dumps({"id": 0, "method": method, "params": parameters}))
                while True:
                    answer = json.loads(socket.recv(timeout=DEADLINE_S))
                    if answer.get("id") == 0:
                        return answer["result"]

            def tab() -> Tab:
                context = ask("Target.createBrowserContext")["browserContextId"]
                target = ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
                return Tab(socket, ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

            yield tab
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
