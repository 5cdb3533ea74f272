"""What both ends of a websocket do, but for reading and for the upgrade, which have files of their own."""

import asyncio
import logging
from dataclasses import dataclass
from typing import cast

from websockets.protocol import Protocol

from .frames import BINARY, TEXT
from .reading import CLOSED, CLOSING, CONNECTING, OPEN, Reader

# Every opened and closed connection would be a line: those who use a connection say what it means.
QUIET = logging.getLogger("eventhive.websocket")
QUIET.setLevel(logging.WARNING)

# Pending output is handed to the transport beyond this, so that a burst of one iteration is not held twice.
FLUSH_BYTES = 64 * 1024
# A peer that answers neither a close frame nor the end of a stream within this is cut off.
CLOSE_SECONDS = 5.0
# A peer is gone when nothing came from it for so many keep-alive intervals; how often that is looked at in one of them,
# so that a peer is given up after one and a half at the earliest and two at the latest.
SILENT_INTERVALS = 2
LOOKS = 2
# RFC 6455, 7.1.5: the code of a connection that ended without a close frame, and the most bytes of a reason.
ABNORMAL = 1006
REASON_BYTES = 123


@dataclass(frozen=True)
class Limits:
    """What one connection may cost.

    `upgrade_bytes`: of the HTTP request or response. `open_seconds`: from connecting to the finished upgrade.
    `max_message`: bytes of one received message. `max_buffered`: bytes that wait for a slow reader until it is cut off.
    `high_water`: bytes that wait for it until `writing_paused` is set; a quarter of it unsets it again.
    """

    upgrade_bytes: int = 8192
    open_seconds: float = 10.0
    max_message: int = 1024 * 1024
    max_buffered: int = 16 * 1024 * 1024
    high_water: int = 64 * 1024


DEFAULT_LIMITS = Limits()


class Connection(Reader):
    """One end of one websocket; subclass `ServerConnection` or `ClientConnection` and override the callbacks.

    `keepalive`: a peer that is silent for so many seconds is sent a ping, and one that is silent for two such intervals
    is cut off; 0 for never.
    Attributes: `peer` ("host:port"), `writing_paused` (true while the peer takes less than it is sent), `subprotocol`
    (what both ends agreed on in the upgrade, out of `subprotocols`; empty for none).
    """

    # What is offered, or accepted, in the upgrade (RFC 6455, 1.9); there may be none in the end.
    subprotocols: tuple[str, ...] = ()
    __slots__ = (
        "_keepalive",
        "_loop",
        "_out",
        "_pending",
        "_timer",
        "_transport",
        "_why",
        "limits",
        "peer",
        "subprotocol",
        "writing_paused",
    )
    _loop: asyncio.AbstractEventLoop
    _transport: asyncio.Transport
    # What is to happen unless something comes before; None where nothing is: a cancelled one still has its context.
    _timer: asyncio.TimerHandle | None

    def __init__(self, limits: Limits = DEFAULT_LIMITS, keepalive: float = 0):
        super().__init__(limits.max_message)
        self.peer = ""
        self.subprotocol = ""
        self.limits = limits
        self.writing_paused = False
        self._keepalive = keepalive
        self._out: list[bytes] = []
        self._pending = 0
        self._scheduled = False
        self._why = ""

    def writable(self) -> None:
        """Callback: `writing_paused` became false."""

    def closed(self, code: int, reason: str) -> None:
        """Callback, last and exactly once, also when it never opened: 1006 stands for an end without a close frame."""

    @property
    def is_open(self) -> bool:
        """True from the finished upgrade until either end closes; what is sent at other times is dropped."""
        return self._state == OPEN

    @property
    def buffered(self) -> int:
        """Bytes that were sent and are not in the kernel's hands yet."""
        return self._pending + self._transport.get_write_buffer_size()

    @property
    def max_message(self) -> int:
        """Bytes of the longest message that is taken from the peer; may be changed at any time."""
        return self._max_message

    @max_message.setter
    def max_message(self, size: int) -> None:
        self._max_message = size
        if self._made is not None:
            self._made.max_message_size = size

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self._send(TEXT, text.encode())

    def send_encoded(self, text: bytes) -> None:
        """Send a text message that is in UTF-8 already."""
        self._send(TEXT, text)

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._send(BINARY, data)

    def flush(self) -> None:
        """Hand what was sent to the transport now; without this it is done once per loop iteration."""
        self._scheduled = False
        if not self._out:
            return
        self._transport.write(self._out[0] if len(self._out) == 1 else b"".join(self._out))
        self._out.clear()
        self._pending = 0
        waiting = self._transport.get_write_buffer_size()
        if waiting > self.limits.max_buffered:
            self.abort(f"too slow: {waiting} bytes wait for it")

    def pause(self) -> None:
        """Stop reading; messages of the piece that was read already still arrive."""
        if self._state == OPEN:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._state == OPEN:
            self._transport.resume_reading()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what waits and a close frame; no message arrives any more. A long reason is cut."""
        if self._state == CONNECTING:
            self.abort(reason)
        if self._state != OPEN:
            return
        self._transport.resume_reading()
        self._protocol.send_close(code, reason.encode()[:REASON_BYTES].decode(errors="ignore"))
        self._leave()
        if self._rest:
            self._protocol.receive_data(bytes(self._rest))
        self._write_protocol()

    def abort(self, why: str = "") -> None:
        """Cut the connection off; `why` is the reason that `closed` is given, some iterations later."""
        self._why = self._why or why
        self._state = CLOSED
        self._out.clear()
        self._pending = 0
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio, which also sets TCP_NODELAY."""
        self._loop = asyncio.get_running_loop()
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(self.limits.high_water)
        name = transport.get_extra_info("peername")
        if name:
            self.peer = f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
        seconds = self.limits.open_seconds
        self._timer = self._loop.call_later(seconds, self.abort, f"no upgrade within {seconds:g} s")

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._calm()
        self._state = CLOSED
        self._out.clear()
        close = self._made and (self._made.close_rcvd or self._made.close_sent)
        self._forget()
        if close:
            self.closed(close.code, close.reason)
        else:
            self.closed(ABNORMAL, self._why or (str(error) if error else "the other end went away"))

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self.writing_paused = True

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self.writing_paused = False
        if self._state == OPEN:
            self.writable()

    def _longest_upgrade(self) -> int:
        return self.limits.upgrade_bytes

    def _run(self) -> None:
        """The upgrade is done, and all that has to be said of it is written."""
        self.subprotocol = self._protocol.subprotocol or ""
        self._forget()
        self._state = OPEN
        self._calm()
        if self._keepalive:
            self._timer = self._loop.call_later(self._keepalive / LOOKS, self._keep_alive)

    def _keep_alive(self) -> None:
        # Who does not read hears nothing, and can only let itself be heard.
        self._silent = self._silent + 1 if self._transport.is_reading() else LOOKS
        if self._silent >= SILENT_INTERVALS * LOOKS:
            self.abort(f"nothing heard within {SILENT_INTERVALS * self._keepalive:g} s")
            return
        if self._silent == LOOKS:
            self._protocol.send_ping(b"")
            self._write_protocol()
        self._timer = self._loop.call_later(self._keepalive / LOOKS, self._keep_alive)

    @property
    def _protocol(self) -> Protocol:
        # Most connections only ever carry whole messages: they do without 4 KB of it, and of the request that it keeps.
        if self._made is None:
            self._made = Protocol(self._side, max_size=self._max_message, logger=QUIET)
            # It would write messages into the log.
            self._made.debug = False
        return self._made

    def _forget(self) -> None:
        protocol, self._made = self._made, None
        if protocol is not None:
            # These refer to it in a circle: without them, it leaves no garbage to be looked for.
            protocol.parser.close()
            protocol.parser_exc = protocol.handshake_exc = None

    def _calm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._state = CLOSING
        self._calm()
        self._timer = self._loop.call_later(CLOSE_SECONDS, self.abort)

    def _send(self, kind: int, data: bytes) -> None:
        raise NotImplementedError

    def _queue(self, frame: bytes) -> None:
        self._out.append(frame)
        self._pending += len(frame)
        if self._pending > FLUSH_BYTES:
            scheduled = self._scheduled
            self.flush()
            self._scheduled = scheduled
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def _write_protocol(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._queue(data)
                continue
            self.flush()
            # Half-closed, not closed: closing while input is unread would reset the stream under what was written.
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
