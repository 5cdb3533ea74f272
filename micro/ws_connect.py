"""Opening a websocket (RFC 6455, 4.1). Loaded for each connection, and forgotten after it."""

import asyncio
from binascii import b2a_base64
from hashlib import sha1
from os import urandom
from socket import getaddrinfo

from .node import part, within
from .ws import WebSocket, shut

# The gateway's 101 answer is 129 bytes; anything much longer is some other server.
MAX_ANSWER = 1024
CONNECT_S = 10

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def connect(link, limit):
    """A websocket to where a link says that takes messages up to `limit` bytes; OSError says why not.

    Its address is remembered while it is good: asking for it stops a board, for seconds where nobody answers.
    """
    host, port = link["host"], link["port"]
    # Until it has proved good once more.
    address = link.pop("address", None) or getaddrinfo(host, port)[0][-1][0]
    if type(address) is not str:
        # The unix port gives numbers that only its sockets understand.
        address = host
    try:
        opening = part("tls")(link, address) if "ca" in link else asyncio.open_connection(address, port)
        carrier = await within(CONNECT_S, _connect(opening, link["name"], link["endpoint"], limit))
    except asyncio.TimeoutError:
        raise OSError("no answer from %s within %d s" % (link["name"], CONNECT_S))
    link["address"] = address
    return carrier


async def _connect(opening, name, endpoint, limit):
    # On MicroPython one object is both the reader and the writer.
    reader, writer = await opening
    try:
        set_option = getattr(getattr(writer, "s", writer), "setsockopt", None)
        if set_option:
            # IPPROTO_TCP, TCP_NODELAY: without it an acknowledgement waits for the kernel's, 40 ms (CPython sets it).
            set_option(6, 1, 1)
        key = b2a_base64(urandom(16))[:-1]
        request = "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        request = (request % (endpoint, name)).encode()
        writer.write(request + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
        await writer.drain()
        # This much first: whatever else listens there, it may send anything, and not one line end.
        first = await reader.readexactly(12)
        if first != b"HTTP/1.1 101":
            # As `repr` has it, it is printable.
            raise OSError("%s%s answers %s" % (name, endpoint, repr(first)[2:-1]))
        answer = await _answer(reader)
        if b"sec-websocket-accept: " + b2a_base64(sha1(key + _GUID).digest())[:-1].lower() not in answer:
            raise OSError("%s is no websocket server" % name)
    except BaseException:
        shut(writer)
        raise
    return WebSocket(reader, writer, limit)


async def _answer(reader):
    # Header lines in lower case: their names have no case, and the value is only compared with itself. Byte by byte:
    # `readline` takes a line of any length, and what follows is the gateway's first message already.
    answer = bytearray()
    try:
        while len(answer) < MAX_ANSWER:
            answer += await reader.readexactly(1)
            if answer[-4:] == b"\r\n\r\n":
                return bytes(answer).lower().split(b"\r\n")
    except EOFError:
        pass
    raise OSError("the answer to the websocket request is cut short or too long")
