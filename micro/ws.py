"""The frames of a websocket client (RFC 6455) with binary messages, over asyncio streams: a carrier over a network.

One write per frame, so that none ever meets Nagle's algorithm; lengths are checked before anything is read for them.
"""

from os import urandom

_CONTINUATION = 0
_BINARY = 2
_CLOSE = 8
_PING = 9
_PONG = 10
_MAX_CONTROL = 125
# Longer pieces leave more garbage behind than they save time.
_PIECE_BYTES = 256

_NORMAL = 1000
_PROTOCOL_ERROR = 1002
_NOT_BINARY = 1003
_TOO_BIG = 1009


def shut(stream):
    """Close a stream's socket; `close` of MicroPython's streams does nothing, and unix sockets are not collected."""
    getattr(stream, "s", stream).close()


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
    # Nothing is timed here; the session has the heartbeats.
    tick = None

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

    def close(self, reason, code=_NORMAL):
        """Send a close frame, best effort, and close the connection."""
        if self._open:
            self._open = False
            try:
                self._send(_CLOSE, code.to_bytes(2, "big"))
            except OSError:
                pass
            shut(self._writer)

    async def receive(self):
        """The next message."""
        message = b""
        expected = _BINARY
        while True:
            opcode, final, payload = await self._frame(self._limit - len(message))
            if opcode == _PING:
                self._send(_PONG, payload)
            elif opcode == _CLOSE:
                raise EOFError("the gateway closed the websocket: %d" % int.from_bytes(payload[:2], "big"))
            elif opcode == expected:
                message += payload
                if final:
                    return message
                expected = _CONTINUATION
            elif opcode != _PONG:
                self._fail(
                    _NOT_BINARY if opcode == 1 else _PROTOCOL_ERROR, "unexpected websocket frame, opcode %d" % opcode
                )

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
        elif size == 127:
            # Eight more bytes would say how much too long it is.
            size = room + 1
        if first & 0x70 or second & 0x80 or (opcode & 8 and not first & 0x80):
            self._fail(_PROTOCOL_ERROR, "malformed websocket frame")
        if size > room:
            self._fail(_TOO_BIG, "websocket message longer than %d bytes" % self._limit)
        return opcode, first & 0x80, await self._reader.readexactly(size) if size else b""

    def _fail(self, code, why):
        self.close(why, code)
        raise OSError(why)
