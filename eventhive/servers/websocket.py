"""The websocket pubsub server, on the wires of docs/hive-wire.md, inside the loop of the hive."""

import asyncio
import ipaddress
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..bounded_log import BoundedLog
from ..websocket import Listener, serve
from .admission import Admission
from .broker import Broker
from .peer import Peer

if TYPE_CHECKING:
    from ssl import SSLContext

GOING_AWAY = 1001

# Lines of one minute about clients that broke the rules, or take nothing.
DISCONNECTED_LINES = 30

logger = logging.getLogger("eventhive")


class WebsocketServer:
    """Serves one network on `host`:`port`; port 0 takes a free one, and `port` says which after `start`.

    Where there are `tokens`, a client must present one of them. `peers` are those that were let in, `disconnected` logs
    who is not any more.
    """

    def __init__(
        self,
        network: str,
        host: str,
        port: int,
        broker: Broker,
        tokens: Iterable[str] = (),
        tls: "SSLContext | None" = None,
    ):
        self.network = network
        self.host = host
        self.port = port
        self.broker = broker
        self.peers: set[Peer] = set()
        self.admission = Admission(network, tokens, time.monotonic)
        self.disconnected = BoundedLog(logger, f"clients of {network} disconnected", DISCONNECTED_LINES, time.monotonic)
        self._tls = tls
        self._server: Listener | None = None

    async def start(self) -> None:
        """Listen; `LocalError` says why that is not possible."""
        self._server = await serve(lambda: Peer(self), self.host, self.port, self._tls)
        names = [socket.getsockname() for socket in self._server.sockets]
        self.port = names[0][1]
        logger.info("%s: serving on %s:%d", self.network, self.host, self.port)
        if not all(ipaddress.ip_address(name[0]).is_loopback for name in names):
            self.admission.warn(f"{self.host}:{self.port}", self._tls is not None)

    def shut(self) -> None:
        """Let nobody in any more, and say goodbye to all, after what waits for them."""
        if self._server is not None:
            self._server.close()
        for peer in list(self.peers):
            peer.close(GOING_AWAY, "the server is shutting down")

    async def stop(self, seconds: float) -> None:
        """Shut; whoever has not read what waits for it after `seconds` is cut off."""
        self.shut()
        gone = [peer.gone for peer in self.peers]
        if gone:
            await asyncio.wait(gone, timeout=seconds)
        for peer in list(self.peers):
            peer.abort()
