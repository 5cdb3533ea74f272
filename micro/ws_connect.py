"""Opening a websocket (RFC 6455, 4.1). Loaded for each connection, and forgotten after it."""

import asyncio
from binascii import b2a_base64
from hashlib import sha1
from os import urandom

from .node import within
from .ws import WebSocket, shut

# The gateway's 101 answer is 129 bytes; anything much longer is some other server.
MAX_ANSWER = 1024
CONNECT_S = 10

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def connect(host, port, endpoint, limit):
    """A websocket to `ws://host:port/endpoint` that takes messages up to `limit` bytes; OSError says why not."""
    try:
        return await within(CONNECT_S, _connect(host, port, endpoint, limit))
    except asyncio.TimeoutError:
        raise OSError("no answer from %s:%d within %d s" % (host, port, CONNECT_S))


async def _connect(host, port, endpoint, limit):
    # On MicroPython one object is both the reader and the writer.
    reader, writer = await asyncio.open_connection(host, port)
    try:
        if hasattr(writer, "s"):
            # IPPROTO_TCP, TCP_NODELAY: without it an acknowledgement waits for the kernel's, 40 ms (CPython sets it).
            writer.s.setsockopt(6, 1, 1)
        key = b2a_base64(urandom(16))[:-1]
        request = "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        request = (request % (endpoint, host, port)).encode()
        writer.write(request + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
        await writer.drain()
        # This much first: whatever else listens there, it may send anything, and not one line end.
        first = await reader.readexactly(12)
        if first != b"HTTP/1.1 101":
            # As `repr` has it, it is printable.
            raise OSError("%s:%d%s answers %s" % (host, port, endpoint, repr(first)[2:-1]))
        answer = await _answer(reader)
        if b"sec-websocket-accept: " + b2a_base64(sha1(key + _GUID).digest())[:-1].lower() not in answer:
            raise OSError("%s:%d is no websocket server" % (host, port))
    except BaseException:
        shut(writer)
        raise
    return WebSocket(reader, writer, limit)


async def _answer(reader):
    # Header lines in lower case: their names have no case, and the value is only compared with itself.
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
        lines.append(line.lower())
