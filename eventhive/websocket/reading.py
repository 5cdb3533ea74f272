"""Reading: from pieces of a stream to messages. The part of a connection that is written for speed."""

import asyncio
import threading

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from .frames import BINARY, TEXT, apply_mask, long_extent

CONNECTING, OPEN, CLOSING, CLOSED = range(4)


# One read takes what a busy peer has sent meanwhile. Beyond 128 KiB, the C library maps and unmaps each buffer.
READ_BYTES = 64 * 1024

# How TLS begins: an alert or a hand-shake (RFC 8446, 5.1), and HTTP never. Whoever is waited for would wait in vain.
TLS_RECORDS = (21, 22)


class _Buffer(threading.local):
    """One buffer for all connections of a loop: it is emptied before any other is read into it.

    asyncio's own default, a new 256 KiB object for each read, costs three system calls more than the read.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(READ_BYTES))


_buffer = _Buffer()


class Reader(asyncio.BufferedProtocol):
    """The receiving half of a `Connection`.

    `_rest` holds the bytes of an incomplete frame or HTTP head and `_need` how long it must grow to be of use, so that
    a frame that drips in byte by byte is not looked at each time.
    """

    __slots__ = ("_made", "_max_message", "_need", "_parts", "_rest", "_scheduled", "_silent", "_state", "_view")
    # 0x80 where received frames are masked: on the server.
    _mask_bit: int
    _side: Side
    _scheduled: bool

    def __init__(self, max_message: int):
        self._max_message = max_message
        self._made: Protocol | None = None
        self._state = CONNECTING
        self._silent = 0
        self._rest = bytearray()
        self._need = 0
        self._parts: list[bytes] | None = None
        self._view = _buffer.view

    def message(self, data: str | bytes) -> None:
        """Callback: a text (str) or binary (bytes) message arrived."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio."""
        self.data_received(bytes(self._view[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Take bytes of the stream."""
        self._silent = 0
        if self._state != OPEN:
            self._receive_other(data)
            return
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data = bytes(self._rest)
            self._rest.clear()
        # Answers given while this piece is read leave at its end, in one write.
        self._scheduled = True
        try:
            self._receive_frames(data)
        finally:
            self.flush()

    def _receive_frames(self, data: bytes) -> None:
        at, end = 0, len(data)
        mask_bit = self._mask_bit
        short_head = 6 if mask_bit else 2
        while end - at >= 2 and self._state == OPEN:
            start = at + short_head
            size = data[at + 1] ^ mask_bit
            if size >= 126:
                start, size = long_extent(data, at, mask_bit)
            stop = start + size
            if not 0 <= size <= self._max_message:
                # Not worth waiting for: the protocol refuses it by its header.
                stop = end
            elif stop > end:
                self._need = stop - at
                break
            elif (data[at] == TEXT or data[at] == BINARY) and self._parts is None:
                payload = data[start:stop]
                self._deliver(data[at], apply_mask(payload, data[start - 4 : start]) if mask_bit else payload)
                at = stop
                continue
            self._protocol.receive_data(data[at:stop])
            self._take_events()
            at = stop
        if at < end:
            self._keep(data[at:])

    def _keep(self, rest: bytes) -> None:
        if self._state == OPEN:
            self._need = self._need if len(rest) > 1 else 2
            self._rest += rest
        elif self._state == CLOSING:
            self._receive_other(rest)

    def _deliver(self, kind: int, payload: bytes) -> None:
        if kind == BINARY:
            self.message(payload)
            return
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self.close(1007, "a text message that is not UTF-8")
        else:
            self.message(text)

    def _take_events(self) -> None:
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame) and self._state == OPEN:
                self._take_frame(frame)
        if self._state == OPEN and self._protocol.close_expected():
            self._leave()
        self._write_protocol()

    def _take_frame(self, frame: Frame) -> None:
        """Collect the fragments of a message; the protocol has checked their order and their sum."""
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            self._parts = [bytes((0x80 | frame.opcode,))]
        elif frame.opcode is not Opcode.CONT or self._parts is None:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            parts, self._parts = self._parts, None
            self._deliver(parts[0][0], b"".join(parts[1:]))

    def _receive_other(self, data: bytes) -> None:
        if self._state == CLOSING:
            self._protocol.receive_data(data)
            self._protocol.events_received()
            self._write_protocol()
        elif self._state == CONNECTING:
            self._rest += data
            end = self._rest.find(b"\r\n\r\n") + 4
            if self._rest[0] in TLS_RECORDS:
                self.abort("it speaks TLS, which is not spoken here")
            elif (end if end > 3 else len(self._rest)) > self._longest_upgrade():
                self._refuse_upgrade()
            elif end > 3:
                head, rest = bytes(self._rest[:end]), bytes(self._rest[end:])
                self._rest.clear()
                self._upgrade(head)
                if rest:
                    self.data_received(rest)

    def _upgrade(self, head: bytes) -> None:
        """Take the whole HTTP head of the other end."""
        raise NotImplementedError

    def _refuse_upgrade(self) -> None:
        """The HTTP head is too long."""
        raise NotImplementedError

    def _longest_upgrade(self) -> int:
        raise NotImplementedError

    def abort(self, why: str = "") -> None:
        """Cut the connection off."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write what was sent."""
        raise NotImplementedError

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Start the closing hand-shake."""
        raise NotImplementedError

    def _leave(self) -> None:
        raise NotImplementedError

    @property
    def _protocol(self) -> Protocol:
        """That of `websockets`, for all but whole data frames: made when it is needed, `_made` is where it is."""
        raise NotImplementedError

    def _write_protocol(self) -> None:
        raise NotImplementedError
