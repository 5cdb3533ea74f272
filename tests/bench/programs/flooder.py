"""Strangers at a gateway, many from one process, or what they knock at instead: `flooder.py` and `flooder.py serve`.

{"flood": kind, "port": n, "rate": r, "held": h} makes r attempts a second, as long as fewer than h are open, and is
answered once the first ones are made; {"end": true} ends it, and is answered with {"attempts", "seconds"}. They come
from SOURCES loopback addresses where the system has them, so that no limit for one address ends the flood. `serve`
prints {"port": n} and costs as little as possible: it lets all in and answers an upgrade as a gateway does. Both end
with their input.
"""

import base64
import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from eventhive.core.greet import greet

# An enrolled device, and a key that is not its own.
NAME = "sensor-0"
KEY = bytes(32)

# Twice as many as are needed to fill all places of strangers from their share of them.
SOURCES = 16
CONNECT_S = 1.0

# Attempts between two looks at what has arrived.
BURST = 16
FIRST = 20

UPGRADE = (
    b"GET /device HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n"
) % base64.b64encode(bytes(16))

# What a gateway answers to that: headers, and a challenge in a frame.
CHALLENGE_BYTES = 22
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + bytes(
    (0x82, CHALLENGE_BYTES, 1, 1, 1, 1, 16, 0, *bytes(16))
)

READ_BYTES = 4096


def framed(message: bytes) -> bytes:
    """A message of a client, in a frame with a mask of zeros."""
    size = len(message)
    head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + message


def garbage(challenge: bytes) -> bytes:
    """A first flight that is none."""
    return framed(os.urandom(200))


def wrong_key(challenge: bytes) -> bytes:
    """A hello of a device that exists, and a record under another key."""
    hello, _ = greet(challenge, NAME, KEY, 0, 1 << 20, os.urandom(24), 1024, None)
    return framed(hello) + framed(os.urandom(40))


FLIGHTS: dict[str, Callable[[bytes], bytes]] = {"garbage": garbage, "wrong_key": wrong_key}
KINDS = ("connect_close", "half_open", "upgrade_silent", *FLIGHTS)


class Stranger:
    """One connection of a flood."""

    def __init__(self, kind: str, port: int, source: str):
        self.kind = kind
        self.socket = socket.socket()
        self.socket.settimeout(CONNECT_S)
        self._got = b""
        with suppress(OSError):
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        if kind in ("upgrade_silent", *FLIGHTS):
            self.socket.send(UPGRADE)

    def arrived(self) -> bool:
        """Read, and answer a challenge; False once the other end has hung up."""
        try:
            data = self.socket.recv(READ_BYTES)
            if not data:
                return False
            flight = FLIGHTS.get(self.kind)
            self._got += data
            challenge = self._got.partition(b"\r\n\r\n")[2][2 : 2 + CHALLENGE_BYTES]
            if flight is not None and len(challenge) == CHALLENGE_BYTES:
                self.socket.send(flight(challenge))
                self.kind = ""
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


class Flooder:
    """A flood of one kind at a time."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._open: set[Stranger] = set()
        self._attempts = 0
        self._order: dict[str, Any] = {}
        self._began = 0.0
        self._told = True

    def run(self) -> None:
        """Flood as told, until the input ends."""
        while True:
            for key, _ in self._selector.select(0.001 if self._order else None):
                if key.data is not None:
                    # What was told before it in this round may have dropped it.
                    if key.data in self._open and not key.data.arrived():
                        self._drop(key.data)
                elif not self._take(sys.stdin.readline()):
                    return
            if self._order:
                self._attempt()

    def _take(self, line: str) -> bool:
        question = json.loads(line) if line else {}
        seconds = time.monotonic() - self._began
        if "flood" in question:
            self._order, self._attempts, self._began, self._told = question, 0, time.monotonic(), False
        elif question:
            self._order = {}
            for one in list(self._open):
                self._drop(one)
            print(json.dumps({"attempts": self._attempts, "seconds": seconds}), flush=True)
        return bool(question)

    def _attempt(self) -> None:
        order = self._order
        due = int((time.monotonic() - self._began) * order["rate"]) - self._attempts
        for _ in range(min(due, BURST, order["held"] - len(self._open))):
            self._attempts += 1
            with suppress(OSError):
                one = Stranger(order["flood"], order["port"], f"127.0.0.{2 + self._attempts % SOURCES}")
                if order["flood"] == "connect_close":
                    one.socket.close()
                else:
                    self._open.add(one)
                    self._selector.register(one.socket, selectors.EVENT_READ, one)
        if not self._told and self._attempts >= FIRST:
            self._told = True
            print(json.dumps({"flowing": True}), flush=True)

    def _drop(self, one: Stranger) -> None:
        self._open.discard(one)
        self._selector.unregister(one.socket)
        one.socket.close()


def serve() -> None:
    """Be knocked at, until the input ends."""
    selector = selectors.DefaultSelector()
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    selector.register(sys.stdin, selectors.EVENT_READ)
    selector.register(listening, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listening:
                selector.register(listening.accept()[0], selectors.EVENT_READ)
            elif not answered(key.fileobj):
                selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]


def answered(stranger: Any) -> bool:
    """Answer an upgrade; False for whatever ends the connection."""
    try:
        data = stranger.recv(READ_BYTES)
        if data == UPGRADE:
            return bool(stranger.send(ANSWER))
    except OSError:
        pass
    return False


if __name__ == "__main__":
    serve() if "serve" in sys.argv[1:] else Flooder().run()
