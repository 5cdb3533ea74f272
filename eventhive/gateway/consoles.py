"""The console of a board on a serial line, for clients of the control socket.

    {"command": "console", "name": "sensor-1"}  ->  {"ok": true}
    then {"text": "a line", "end": true}, …, and {"lost": 3} for lines that came faster than the client took them
    and back {"keys": "what is typed"}, which goes to the port as it is

Rules of this file:
1. A client never holds up the gateway: what it does not take is dropped and counted, and what it types is bounded.
2. A line without its end, such as a prompt, is shown as it grows (`"end": false`); its last text is the whole line.
"""

import asyncio
import contextlib
import json
from collections import deque
from typing import Any, Protocol

# Lines that wait for a client: some seconds of a port at full speed, at most 2 MB.
WAITING_LINES = 1000

# Characters that are typed at once: a paste of a page.
MAX_KEYS = 4096


class Port(Protocol):
    """What a console needs of a serial link."""

    watchers: "list[Watcher]"

    def type(self, keys: bytes) -> bool:
        """Write to the port; False where it is not open, or takes no more."""


class Watcher:
    """One client: `show` and `grow` are told of lines; `talk` serves it until it goes."""

    def __init__(self, port: Port):
        self._port = port
        self._lines: deque[str] = deque()
        self._growing = ""
        self._shown = ""
        self._lost = 0
        self._news = asyncio.Event()

    def show(self, text: str) -> None:
        """A line has ended."""
        if len(self._lines) < WAITING_LINES:
            self._lines.append(text)
        else:
            self._lost += 1
        self._growing = self._shown = ""
        self._news.set()

    def grow(self, text: str) -> None:
        """A line has not ended yet, and is this so far."""
        if text != self._growing:
            self._growing = text
            self._news.set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Write lines and read what is typed, until the client has gone."""
        self._port.watchers.append(self)
        tasks = [asyncio.ensure_future(part) for part in (self._write(writer), self._read(reader))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._port.watchers.remove(self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._lines:
                await _send(writer, {"text": self._lines.popleft(), "end": True})
            if self._lost:
                lost, self._lost = self._lost, 0
                await _send(writer, {"lost": lost})
            if self._growing != self._shown:
                self._shown = self._growing
                await _send(writer, {"text": self._growing, "end": False})

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            keys: Any = None
            with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                keys = json.loads(line)["keys"]
            if not isinstance(keys, str) or len(keys) > MAX_KEYS:
                return
            self._port.type(keys.encode(errors="replace"))


async def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    await writer.drain()
