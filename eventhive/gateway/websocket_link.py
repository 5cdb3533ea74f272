"""Devices over websockets: one connection, one session, driven from the transport's callbacks.

Callbacks instead of a task per device, because a connection's acknowledgements then leave in the iteration in which its
events came, in one write, and an idle device costs no more than its objects.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Iterator
from os import urandom
from typing import Any

from ..core.clear import NONCE_BYTES, SEALED, UNKEYED
from ..core.gateway_session import FIRST_FLIGHT_BYTES, GatewaySession
from ..core.pump import Pump
from ..core.session import OPENED
from ..websocket import Limits, ServerConnection
from .bridge import Bridge
from .device import Device
from .half_open import HalfOpen

# The largest message of a device: several times what a board sends, small enough for two thousand of them at once.
MESSAGE_BYTES = 4096

# The request of a board is 150 bytes; nobody unknown may make the gateway hold more than this.
UPGRADE_BYTES = 1024
UPGRADE_SECONDS = 5.0

# A device that does not read: its commands are bounded by its outbox, so more than this is something else.
BUFFERED_BYTES = 256 * 1024

LIMITS = Limits(UPGRADE_BYTES, UPGRADE_SECONDS, MESSAGE_BYTES, BUFFERED_BYTES)

# Sessions for which time passes at a time: a third of a millisecond, in which events wait.
TICKED = 128

# What a browser, or a proxy in front of one, adds. Devices have neither, and a page must not talk to them.
FOREIGN_HEADERS = ("Origin", "Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")

POLICY_VIOLATION = 1008
NOT_TEXT = 1003
GOING_AWAY = 1001


class WebsocketLinks:
    """The websocket endpoint of a gateway: what its connections share."""

    def __init__(self, bridge: Bridge, endpoint: str, insecure: bool, descriptors: int):
        self.bridge = bridge
        self.endpoint = endpoint
        self.insecure = insecure
        self.connections: set[DeviceConnection] = set()
        self.half_open = HalfOpen(descriptors)
        self._waiting: list[DeviceConnection] = []
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> "DeviceConnection":
        """A new connection, for a server of asyncio."""
        return DeviceConnection(self)

    def admits(self, host: str) -> bool:
        """True when a stranger may connect from an address; one more that may not is logged."""
        why = self.half_open.full(host)
        if why:
            self.bridge.strangers(logging.WARNING, "websocket %s: not let in: %s", host, why)
        return not why

    def flush_soon(self, connection: "DeviceConnection") -> None:
        """Have a connection send what it has to, after all connections were read that can be."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(connection)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            if connection.woken:
                connection.flush_now()

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass for all sessions."""
        for _ in self.ticks(elapsed_ms):
            pass

    def ticks(self, elapsed_ms: int) -> Iterator[None]:
        """The same in small parts: events of devices may be dealt with after each."""
        connections = list(self.connections)
        for start in range(0, len(connections), TICKED):
            for connection in connections[start : start + TICKED]:
                connection.tick(elapsed_ms)
            yield

    def close(self) -> None:
        """Say goodbye to all devices."""
        for connection in list(self.connections):
            connection.session.close("the gateway is shutting down")
            connection.flush_now()


class DeviceConnection(ServerConnection):
    """One device over a websocket: a carrier of `devices.Carrier`, and of the pump."""

    kind = "websocket"

    __slots__ = ("_host", "_pump", "_since", "_strange", "device", "links", "session", "woken")

    def __init__(self, links: WebsocketLinks):
        super().__init__(LIMITS)
        self.links = links
        self.device: Device | None = None
        self.session: Any = None
        self._pump: Any = None
        self.woken = False
        # Counted among those who have not proved a key.
        self._strange = False
        self._host = ""

    @property
    def address(self) -> str:
        """Where the device is."""
        return self.peer

    def check(self, request: Any) -> tuple[int, str] | None:
        """Refuse an upgrade that no device sends."""
        refusal = self._refusal(request)
        if refusal is not None:
            self.links.bridge.strangers(logging.INFO, "websocket %s: refused: %s", self.peer, refusal[1])
        return refusal

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        super().connection_made(transport)
        self._since = self._loop.time()
        self._host = self.peer.rpartition(":")[0].strip("[]")
        # Without an address it is gone already; and more may have come in one iteration than may stay.
        if not self._host or not self.links.admits(self._host):
            self.abort()
            return
        self._strange = True
        self.links.half_open.enter(self._host)

    def opened(self, request: Any) -> None:
        """The upgrade is complete: challenge the device."""
        links = self.links
        trusted = links.insecure or ipaddress.ip_address(self._host).is_loopback
        mode = UNKEYED if trusted else SEALED
        self.session = GatewaySession(urandom(NONCE_BYTES), mode, MESSAGE_BYTES, links.bridge.devices.find)
        self._pump = Pump(self.session, self, self._event)
        # The upgrade and the proof share one deadline.
        self.session.tick(int((self._loop.time() - self._since) * 1000))
        self.max_message = FIRST_FLIGHT_BYTES
        links.connections.add(self)
        self._pump.flush()

    def message(self, data: str | bytes) -> None:
        """One message of the device."""
        if isinstance(data, str):
            self.close(NOT_TEXT, "binary messages only")
            return
        self._pump.receive(data)
        if self.session.has_output:
            self.wake()

    def send(self, message: bytes) -> None:
        """One message for the device; the pump's name for it."""
        self.send_bytes(message)

    def close(self, code: int | str = 1000, reason: str = "") -> None:
        """Close the connection; the pump gives the reason alone."""
        if isinstance(code, str):
            # One code and one text for every failure before admission: outside, they must look alike.
            if self.device is not None:
                super().close(GOING_AWAY, code)
            else:
                super().close(POLICY_VIOLATION)
        else:
            super().close(code, reason)

    def wake(self) -> None:
        """Something is to be sent: in this iteration, once."""
        if not self.woken:
            self.woken = True
            self.links.flush_soon(self)

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass: heartbeats, deadlines."""
        self.session.tick(elapsed_ms)
        self.flush_now()

    def closed(self, code: int, reason: str) -> None:
        """The connection is gone."""
        self._known()
        if self.session is None:
            return
        self.links.connections.discard(self)
        self.session.closed = self.session.closed or f"connection lost ({reason or code})"
        self.links.bridge.closed(self.device, self.session, self)
        # They refer to each other: without this, each stranger would be garbage that has to be looked for.
        self._pump = None

    def _event(self, event: tuple[Any, ...]) -> None:
        if self.device is not None:
            self.links.bridge.event(self.device, event)
        elif event[0] == OPENED:
            self.device = self.links.bridge.opened(self.session, event[1], self)
            if self.device is not None:
                self._known()
                self.max_message = MESSAGE_BYTES

    def _refusal(self, request: Any) -> tuple[int, str] | None:
        if request.path != self.links.endpoint:
            return 404, f"devices connect to {self.links.endpoint}"
        for header in FOREIGN_HEADERS:
            if header in request.headers:
                return 403, f"this endpoint is for devices, not for browsers or proxies (header {header})"
        return None

    def _known(self) -> None:
        """It is no stranger any more, or it is gone."""
        if self._strange:
            self._strange = False
            self.links.half_open.leave(self._host)

    def flush_now(self) -> None:
        """Send what there is to send."""
        self.woken = False
        if self._pump is not None:
            # What is queued is handed on here, and not once more at the end of the iteration.
            self._scheduled = True
            try:
                self._pump.flush()
            finally:
                self.flush()
