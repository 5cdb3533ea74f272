"""Websocket client (RFC 6455) over asyncio streams, for binary messages; the carrier of a session over a network.

One write per frame, so that a frame never meets Nagle's algorithm; lengths are checked before anything is read for them.
"""

import asyncio
from binascii import b2a_base64
from hashlib import sha1
from os import urandom

# The gateway's 101 answer is 129 bytes; anything much longer is some other server.
MAX_ANSWER = 1024
CONNECT_S = 10

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION = 0
_BINARY = 2
_CLOSE = 8
_PING = 9
_PONG = 10
_MAX_CONTROL = 125
# Longer pieces leave more garbage behind than they save time.
_PIECE_BYTES = 256

NORMAL = 1000
PROTOCOL_ERROR = 1002
NOT_BINARY = 1003
TOO_BIG = 1009


async def connect(host, port, endpoint, limit):
    """Open a websocket to `ws://host:port/endpoint` that takes messages up to `limit` bytes; OSError says why not."""
    try:
        return await asyncio.wait_for(_connect(host, port, endpoint, limit), CONNECT_S)
    except asyncio.TimeoutError:
        raise OSError("no answer from %s:%d within %d s" % (host, port, CONNECT_S))


async def _connect(host, port, endpoint, limit):
    # On MicroPython one object is both the reader and the writer.
    reader, writer = await asyncio.open_connection(host, port)
    try:
        key = b2a_base64(urandom(16))[:-1]
        request = "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        request = (request % (endpoint, host, port)).encode() + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n"
        writer.write(request)
        await writer.drain()
        answer = await _answer(reader)
        if b" 101 " not in answer[0]:
            raise OSError("%s:%d%s answers %s" % (host, port, endpoint, str(answer[0], "utf-8")))
        if b"sec-websocket-accept: " + b2a_base64(sha1(key + _GUID).digest())[:-1].lower() not in answer:
            raise OSError("%s:%d is no websocket server" % (host, port))
    except BaseException:
        writer.close()
        raise
    return WebSocket(reader, writer, limit)


async def _answer(reader):
    # Lower case throughout: header names have no case, and the value is only compared with itself.
    lines = []
    left = MAX_ANSWER
    while True:
        line = await reader.readline()
        left -= len(line)
        if not line or left < 0:
            raise OSError("the answer to the websocket request is cut short or too long")
        line = line.rstrip()
        if not line:
            return lines
        lines.append(line.lower() if lines else line)


def frame(opcode, payload, mask):
    """One whole, masked client frame; `mask` is four random bytes (RFC 6455, 5.3)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    else:
        head = bytes((0x80 | opcode, 0xFE, size >> 8, size & 255))
    return head + mask + apply_mask(payload, mask)


def apply_mask(data, mask):
    """XOR with the repeated mask, as big integers: a byte loop takes a board ten times as long."""
    pieces = []
    for at in range(0, len(data), _PIECE_BYTES):
        piece = data[at : at + _PIECE_BYTES]
        size = len(piece)
        stream = (mask * ((size + 3) >> 2))[:size]
        pieces.append((int.from_bytes(piece, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big"))
    return b"".join(pieces)


class WebSocket:
    """A carrier: whole binary messages in order, or OSError/EOFError when the connection is gone."""

    tick_ms = 1000

    def __init__(self, reader, writer, limit):
        self.wake = None
        self._reader = reader
        self._writer = writer
        self._limit = limit
        self._open = True

    def send(self, message):
        """Write one message, as one frame."""
        self._send(_BINARY, message)

    async def drain(self):
        """Wait until what was written has left this program."""
        await self._writer.drain()

    def tick(self, elapsed_ms):
        """Nothing is timed here; the session has the heartbeats."""

    def close(self, reason, code=NORMAL):
        """Send a close frame, best effort, and close the connection."""
        if self._open:
            self._open = False
            try:
                self._send(_CLOSE, code.to_bytes(2, "big"))
            except OSError:
                pass
            self._writer.close()

    async def receive(self):
        """The next message."""
        message = b""
        expected = _BINARY
        while True:
            opcode, final, payload = await self._frame(self._limit - len(message))
            if opcode == _PING:
                self._send(_PONG, payload)
            elif opcode == _CLOSE:
                raise EOFError(_close_text(payload))
            elif opcode == expected:
                message += payload
                if final:
                    return message
                expected = _CONTINUATION
            elif opcode != _PONG:
                self._fail(NOT_BINARY if opcode == 1 else PROTOCOL_ERROR, "unexpected websocket frame, opcode %d" % opcode)

    def _send(self, opcode, payload):
        self._writer.write(frame(opcode, payload, urandom(4)))

    async def _frame(self, room):
        first, second = await self._reader.readexactly(2)
        opcode = first & 15
        size = second & 127
        if opcode & 8:
            room = _MAX_CONTROL
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        if first & 0x70 or second & 0x80 or (opcode & 8 and not first & 0x80):
            self._fail(PROTOCOL_ERROR, "malformed websocket frame")
        if size == 127 or size > room:
            self._fail(TOO_BIG, "websocket message longer than %d bytes" % self._limit)
        return opcode, first & 0x80, await self._reader.readexactly(size) if size else b""

    def _fail(self, code, why):
        self.close(why, code)
        raise OSError(why)


def _close_text(payload):
    if len(payload) < 2:
        return "the gateway closed the websocket"
    return "the gateway closed the websocket: %d %s" % (int.from_bytes(payload[:2], "big"), str(payload[2:60], "utf-8"))
