"""One session on a serial line."""

import asyncio
from copy import copy
from os import urandom
from typing import Any, Protocol

from ..core.clear import NONCE_BYTES, UNKEYED
from ..core.errors import PeerError
from ..core.framing import CHALLENGE, DATA
from ..core.gateway_session import GatewaySession
from ..core.pump import Pump
from ..core.session import OPENED
from .bridge import Bridge
from .device import Device
from .serial_lines import Numbers

# With its frame, a line of 2 KiB; the reader of a board is slower than that anyway.
MESSAGE_BYTES = 1500


class Link(Protocol):
    """What a session needs of its port."""

    bridge: Bridge
    port: str

    def write(self) -> None:
        """Write what there is to send now."""

    def proved(self, one: "SerialSession") -> None:
        """A session has been admitted: it is the one of this line."""

    def ended(self, one: "SerialSession") -> None:
        """A session is over."""


class SerialSession:
    """One session on a serial line: a carrier of `devices.Carrier`, and of the pump."""

    kind = "serial"

    def __init__(self, link: Link, line: Numbers):
        self.address = link.port
        self.device: Device | None = None
        # A serial line is in somebody's hand, so a device without a key may use it.
        self.session = GatewaySession(urandom(NONCE_BYTES), UNKEYED, MESSAGE_BYTES, link.bridge.devices.find)
        self._link = link
        self._line = line
        self._pump = Pump(self.session, self, self._event)
        self._challenge: bytes = self.session.data_to_send() or b""
        self._woken = False
        self._over = False

    def challenge(self) -> None:
        """Challenge the device; again with the same challenge, when it asks again before it has answered."""
        self._line.send(CHALLENGE, self._challenge)

    def is_next(self, payload: bytes) -> bool:
        """True where a message is this session's next record, which only one with a key can tell."""
        unseal = self.session.unseal
        if self.device is None or not unseal.overhead:
            return False
        try:
            copy(unseal).open(payload)
        except PeerError:
            return False
        return True

    def receive(self, payload: bytes) -> None:
        """One message of the device."""
        self._pump.receive(payload)

    def flush(self) -> None:
        """Hand the line what the session has to say."""
        self._woken = False
        self._pump.flush()

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass."""
        self.session.tick(elapsed_ms)
        self.flush()

    def send(self, message: bytes) -> None:
        """One message for the device; the pump's name for it."""
        self._line.send(DATA, message)

    def close(self, reason: str) -> None:
        """The session is over; the line stays."""
        if not self._over:
            self._over = True
            self._link.ended(self)

    def wake(self) -> None:
        """Something is to be sent: in this iteration, once."""
        if not self._woken:
            self._woken = True
            asyncio.get_running_loop().call_soon(self.flush_now)

    def flush_now(self) -> None:
        """Send what there is to send."""
        self.flush()
        self._link.write()

    def _event(self, event: tuple[Any, ...]) -> None:
        bridge = self._link.bridge
        if self.device is not None:
            bridge.event(self.device, event)
        elif event[0] == OPENED:
            self.device = bridge.opened(self.session, event[1], self)
            if self.device is not None:
                self._link.proved(self)
