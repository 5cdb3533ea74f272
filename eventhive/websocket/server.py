"""The accepting end of a websocket, and listening."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from websockets.http11 import Request
from websockets.protocol import SERVER
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ..core.errors import LocalError
from .connection import QUIET, Connection
from .frames import MASKED, head
from .listener import Listener, bound
from .reading import OPEN

if TYPE_CHECKING:
    from ssl import SSLContext

UNAUTHORIZED = 401

_WHY = {
    errno.EADDRNOTAVAIL: "this machine has no such address: use 127.0.0.1, 0.0.0.0 or one of its own",
    errno.EACCES: "not permitted: use a port above 1023",
}


class AddressInUse(LocalError):
    """Another program listens where this one wanted to."""


class _Protocol(ServerProtocol):
    """Chooses the first subprotocol offered that is `known`; the default would refuse all who offer none."""

    known: tuple[str, ...] = ()

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((name for name in subprotocols if name in self.known), None)


class ServerConnection(Connection):
    """The accepting end of one websocket."""

    __slots__ = ()
    _mask_bit = MASKED
    _side = SERVER

    def check(self, request: Request) -> tuple[int, str] | None:
        """Callback: refuse an upgrade with an HTTP status and a line of text, or take it with None."""
        return None

    def opened(self, request: Request) -> None:
        """Callback: the upgrade is done; what is sent here leaves together with the answer to it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        protocol = self._made = _Protocol(max_size=self._max_message, logger=QUIET)
        protocol.known = self.subprotocols
        # It would write the token of the client into the log.
        protocol.debug = False
        super().connection_made(transport)

    def _send(self, kind: int, data: bytes) -> None:
        if self._state == OPEN:
            self._queue(head(kind, len(data), 0) + data)

    def _upgrade(self, head: bytes) -> None:
        self._protocol.receive_data(head)
        for request in self._protocol.events_received():
            if isinstance(request, Request):
                self._decide(request)
                return
        self._leave()
        self._write_protocol()

    def _decide(self, request: Request) -> None:
        protocol = cast(ServerProtocol, self._protocol)
        refusal = self.check(request)
        response = protocol.reject(refusal[0], refusal[1] + "\n") if refusal else protocol.accept(request)
        if response.status_code == UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        protocol.send_response(response)
        refused = protocol.close_expected()
        if refused:
            self._leave()
        self._write_protocol()
        if not refused:
            self._run()
            self.opened(request)

    def _refuse_upgrade(self) -> None:
        text = f"the request is longer than {self.limits.upgrade_bytes} bytes\n"
        protocol = cast(ServerProtocol, self._protocol)
        protocol.send_response(protocol.reject(431, text))
        self._rest.clear()
        self._leave()
        self._write_protocol()


async def serve(
    factory: Callable[[], asyncio.BaseProtocol],
    host: str,
    port: int,
    tls: "SSLContext | None" = None,
    admits: Callable[[str], bool] | None = None,
) -> Listener:
    """Listen, with TLS where `tls` is given; each connection gets a protocol of its own from `factory`.

    Port 0 takes a free one: `listener.sockets[0].getsockname()[1]`. `admits(host)` is asked before anything is spent on
    a connection. `LocalError` names the address and what to do.
    """
    sockets: list[socket.socket] = []
    try:
        sockets = await bound(host, port)
        return Listener(sockets, factory, tls, admits)
    except OSError as error:
        for one in sockets:
            one.close()
        if error.errno == errno.EADDRINUSE:
            why = "another program listens there: stop it, or configure another port"
            raise AddressInUse(f"cannot listen on {host}:{port}: {why}") from None
        why = _WHY.get(error.errno or 0, error.strerror or str(error))
        raise LocalError(f"cannot listen on {host}:{port}: {why}") from None
