"""Frames that a device's websocket reads: `micro/ws.py`, over a stream in memory."""

from device import module
from oracle import require

PORTABLE = STREAM = True
LONGEST = 300
SHARE = 16
ERRORS = (OSError, EOFError)

LIMIT = 200


class _Pause:
    """What a stream waits for until there is more."""

    def __iter__(self):
        yield

    __await__ = __iter__


class Stream:
    """Both ends of a stream of asyncio; what is not there yet is waited for, until `ended`."""

    def __init__(self):
        self.arrived = b""
        self.written = []
        self.ended = False

    async def readexactly(self, size):
        require(size <= LIMIT, "it waits for %d bytes" % size)
        while len(self.arrived) < size:
            if self.ended:
                raise EOFError()
            await _Pause()
        data, self.arrived = self.arrived[:size], self.arrived[size:]
        return data

    def write(self, data):
        self.written.append(data)

    def close(self):
        pass


def feed(pieces, seen):
    stream = Stream()
    reading = _read(module("ws").WebSocket(stream, stream, LIMIT), seen)
    for piece in pieces:
        stream.arrived += piece
        try:
            reading.send(None)
        except (OSError, EOFError):
            seen.append([len(one) for one in stream.written])
            raise
    stream.ended = True
    reading.send(None)


async def _read(socket, seen):
    while True:
        message = await socket.receive()
        require(len(message) <= LIMIT, "a message of %d bytes" % len(message))
        seen.append(message)


def frame(first, payload):
    """A frame of a server, which masks nothing."""
    size = len(payload)
    return bytes((first, size) if size < 126 else (first, 126, size >> 8, size & 255)) + payload


def seeds():
    ping, close = frame(0x89, b"?"), frame(0x88, (1001).to_bytes(2, "big") + b"going away")
    return {
        "messages": frame(0x82, b"[5,0]") + ping + frame(0x82, bytes(126)),
        "fragments": frame(0x02, b"[2,") + ping + frame(0x00, b"1,") + frame(0x80, b"3]") + frame(0x8A, b""),
        "close": frame(0x82, b"[]") + close,
        "too-long": bytes((0x82, 127)) + bytes(8),
        "text": frame(0x81, b"[]"),
    }
