"""A device, written from docs/protocol.md alone: what somebody else would write, over a websocket and on a serial line.

Nothing of EventHive is imported here, so that the document, not the code, is what the two ends have in common.
"""

import base64
import hashlib
import hmac
import json
import os
import select
import zlib
from contextlib import ExitStack
from typing import Any

from Crypto.Cipher import AES
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

# Longer than anything here takes on a busy machine; nothing waits this long when all is well.
DEADLINE = 20.0


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


class Direction:
    """The records of one direction."""

    def __init__(self, key: bytes):
        self.key = key
        self.number = 0

    def _crypt(self, data: bytes) -> bytes:
        return AES.new(self.key[:16], AES.MODE_CTR, nonce=b"", initial_value=self.number << 32).encrypt(data)

    def _tag(self, cipher: bytes) -> bytes:
        return mac(self.key[16:], self.number.to_bytes(4, "big"), cipher)[:16]

    def seal(self, text: bytes) -> bytes:
        cipher = self._crypt(text)
        record = cipher + self._tag(cipher)
        self.number += 1
        return record

    def open(self, record: bytes) -> bytes:
        assert hmac.compare_digest(self._tag(record[:-16]), record[-16:])
        text = self._crypt(record[:-16])
        self.number += 1
        return text


class Device:
    """What outlives a connection: identity, boot count and stream."""

    boot = 0

    def __init__(self, name: str, key: bytes | None, keygen: int = 0):
        self.name = name
        self.key = key
        self.keygen = keygen
        self.stream = bytes(8)
        self.restart()

    def restart(self) -> None:
        """A new boot."""
        Device.boot += 1
        self.attempt = Device.boot << 12
        self.stream = bytes(8)

    def hello(self, limit: int = 1024) -> bytes:
        mode = 0 if self.key is None else 1
        nonce = bytes(16) if self.key is None else os.urandom(16)
        head = bytes((2, 1, mode, self.keygen)) + limit.to_bytes(2, "big") + self.stream
        return head + self.attempt.to_bytes(4, "big") + nonce + bytes((len(self.name),)) + self.name.encode()

    def directions(self, challenge: bytes, hello: bytes) -> tuple[Direction, Direction]:
        assert self.key is not None
        link = mac(self.key, b"eventhive link 1")
        master = mac(link, hashlib.sha256(challenge).digest(), hashlib.sha256(hello).digest())
        return Direction(mac(master, b"device to gateway")), Direction(mac(master, b"gateway to device"))


class Link:
    """One session over a websocket; `opening` are further messages of the first record."""

    def __init__(self, address: str, device: Device):
        self.device = device
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(
            connect(address, compression=None, user_agent_header=None, ping_interval=None, proxy=None)
        )
        challenge = self.socket.recv(DEADLINE)
        assert isinstance(challenge, bytes)
        self.challenge = challenge
        self.hello = device.hello()
        self.messages: list[Any] = []

    def close(self) -> None:
        """Hang up."""
        self._stack.close()

    def greet(self, *opening: str, heartbeat: int = 3600) -> "Link":
        """Hello, first record, welcome."""
        self.keys()
        self.socket.send(self.hello)
        self.say(f"[0,{heartbeat}]", *opening)
        kind, self.time_ms, stream, self.acked = self.receive()
        assert kind == 1
        self.device.stream = bytes.fromhex(stream)
        self.device.attempt += 1
        return self

    def keys(self) -> None:
        if self.device.key is not None:
            self.up, self.down = self.device.directions(self.challenge, self.hello)

    def say(self, *messages: str) -> bytes:
        """Send one record of these messages; returns it."""
        return self.send(messages[0] if len(messages) == 1 else "[" + ",".join(messages) + "]")

    def send(self, text: str | bytes) -> bytes:
        data = text.encode() if isinstance(text, str) else text
        record = data if self.device.key is None else self.up.seal(data)
        self.socket.send(record)
        return record

    def stream(self, first: int) -> str:
        return f'[4,"{self.device.stream.hex()}",{first}]'

    def receive(self) -> list[Any]:
        """The next message of the gateway."""
        while not self.messages:
            record = self.socket.recv(DEADLINE)
            assert isinstance(record, bytes)
            found = json.loads(record if self.device.key is None else self.down.open(record))
            self.messages = found if isinstance(found[0], list) else [found]
        message: list[Any] = self.messages.pop(0)
        return message

    def closed(self) -> tuple[list[bytes], int, str]:
        """What came until the gateway closed, and how it did."""
        got = []
        try:
            while True:
                message = self.socket.recv(DEADLINE)
                assert isinstance(message, bytes)
                got.append(message)
        except ConnectionClosed as end:
            assert end.rcvd is not None
            return got, end.rcvd.code, end.rcvd.reason


DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def line(kind: str, number: int, acknowledged: int, payload: bytes = b"") -> bytes:
    head = kind + DIGITS[number % 64] + DIGITS[acknowledged % 64]
    check = zlib.crc32(head.encode() + payload).to_bytes(4, "big")
    return f"#<{head}".encode() + base64.b64encode(payload + check) + b"\r\n"


class Wire:
    """The device's end of a serial line."""

    def __init__(self, port: int):
        self.port = port
        self.rest = b""

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.port, data) :]

    def read(self, seconds: float = DEADLINE) -> tuple[str, int, int, bytes] | None:
        """(kind, number, acknowledged, payload) of the next line of the gateway; None when there is none in time."""
        while b"\r\n" not in self.rest:
            if not select.select([self.port], [], [], seconds)[0]:
                return None
            self.rest += os.read(self.port, 4096)
        text, self.rest = self.rest.split(b"\r\n", 1)
        assert text.startswith(b"#>")
        head, body = text[2:5].decode(), base64.b64decode(text[5:], validate=True)
        payload, check = body[:-4], int.from_bytes(body[-4:], "big")
        assert check == zlib.crc32(head.encode() + payload)
        return head[0], DIGITS.index(head[1]), DIGITS.index(head[2]), payload

    def after(self, line: tuple[str, int, int, bytes]) -> tuple[str, int, int, bytes] | None:
        """The next line that is no repetition of this one, which a slow machine may see more often than needed."""
        found = self.read()
        while found == line:
            found = self.read()
        return found
