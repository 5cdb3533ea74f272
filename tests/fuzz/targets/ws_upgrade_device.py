"""The answer to a device's upgrade, from whatever listens there: `micro/ws_connect.py`, over a stream in memory."""

import asyncio
from binascii import b2a_base64
from hashlib import sha1

from device import module
from oracle import require

PORTABLE = True
STREAM = False
LONGEST = 400
SHARE = 4
ERRORS = (OSError, EOFError)

LIMIT = 200

# In the place of the right one, which depends on a random key.
_ACCEPT = b"ICX+Yqv66kxgM0FcWaLWlFLwTAI="
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

# No more may be asked for at a time, nor kept of an answer.
MOST = 1024

_loop = []


class Stream:
    """Both ends of a stream of asyncio on which nothing more comes."""

    def __init__(self, data):
        self.data = data
        self.closed = False

    async def readexactly(self, size):
        require(size <= MOST, "%d bytes are asked for" % size)
        if len(self.data) < size:
            raise EOFError()
        data, self.data = self.data[:size], self.data[size:]
        return data

    async def readline(self):
        # As long as it comes: on a board that has no limit.
        end = self.data.find(b"\n") + 1 or len(self.data)
        require(end <= MOST, "a line of %d bytes is read" % end)
        return await self.readexactly(end)

    def write(self, data):
        key = data.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        self.data = self.data.replace(_ACCEPT, b2a_base64(sha1(key + _GUID).digest())[:-1])

    async def drain(self):
        pass

    def close(self):
        self.closed = True


def feed(pieces, seen):
    stream = Stream(pieces[0])
    connect, real = module("ws_connect").connect, asyncio.open_connection

    async def opened(host, port):
        return stream, stream

    asyncio.open_connection = opened
    try:
        run(_connected(connect, seen))
    except ERRORS:
        require(stream.closed, "the connection stays open")
        raise
    finally:
        asyncio.open_connection = real


async def _connected(connect, seen):
    link = {"host": "192.0.2.1", "address": "192.0.2.1", "port": 8086, "endpoint": "/device", "name": "192.0.2.1:8086"}
    socket = await connect(link, LIMIT)
    seen.append("open")
    try:
        # What follows the answer at once belongs to the websocket.
        seen.append(await socket.receive())
    finally:
        socket.close("done")


def run(coroutine):
    """As `asyncio.run`, which would make a loop for each input."""
    if not hasattr(asyncio, "new_event_loop") or not hasattr(asyncio, "Runner"):
        return asyncio.run(coroutine)
    if not _loop:
        _loop.append(asyncio.new_event_loop())
    return _loop[0].run_until_complete(coroutine)


def seeds():
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    accepted = answer + b"Sec-WebSocket-Accept: " + _ACCEPT + b"\r\n\r\n"
    return {
        "gateway": accepted + b"\x82\x05[1,0]",
        "other-key": accepted.replace(b"ICX", b"ICY"),
        "refused": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "no-http": b"SSH-2.0-OpenSSH_9.2p1\r\n",
        "cut-short": answer,
        "endless-line": b"HTTP/1.1 101 " + b"x" * 3000,
        "endless-lines": answer + b"X: y\r\n" * 300,
    }
