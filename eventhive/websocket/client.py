"""The connecting end of a websocket."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.http11 import Response
from websockets.protocol import CLIENT
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from ..core.errors import LocalError, PeerError
from .connection import DEFAULT_LIMITS, QUIET, Connection, Limits
from .frames import MASKED, apply_mask, head
from .reading import OPEN

if TYPE_CHECKING:
    from ssl import SSLContext

CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Credentials:
    """How a client and its server know each other.

    `token` is presented as a bearer token (RFC 6750, 2.1). For "wss", `tls` is used, or what the system trusts, and the
    certificate must be for `server_name`, or for the host that is connected to.
    """

    token: str = field(default="", repr=False)
    tls: "SSLContext | None" = None
    server_name: str = ""


NO_CREDENTIALS = Credentials()


class Unauthorized(PeerError):
    """The server wants a token, or another one."""


class ClientConnection(Connection):
    """The connecting end of one websocket; made ready by `connect`."""

    __slots__ = ("_ready", "token", "uri")
    _mask_bit = 0
    _side = CLIENT
    uri: WebSocketURI

    def __init__(self, limits: Limits = DEFAULT_LIMITS, keepalive: float = 0):
        super().__init__(limits, keepalive)
        self.token = ""
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def opened(self, response: Response) -> None:
        """Callback: the upgrade is done."""

    async def ready(self) -> None:
        """Wait until the upgrade is done; `PeerError` says why it was not."""
        await self._ready

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        super().connection_made(transport)
        offered = [Subprotocol(name) for name in self.subprotocols]
        protocol = self._made = ClientProtocol(
            self.uri, subprotocols=offered or None, max_size=self._max_message, logger=QUIET
        )
        # It would write the token into the log.
        protocol.debug = False
        request = protocol.connect()
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        protocol.send_request(request)
        self._write_protocol()
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._fail(self._why or "the other end hung up before the upgrade")
        super().connection_lost(error)

    def _send(self, kind: int, data: bytes) -> None:
        if self._state == OPEN:
            mask = os.urandom(4)
            self._queue(head(kind, len(data), MASKED) + mask + apply_mask(data, mask))

    def _upgrade(self, head: bytes) -> None:
        status = head.split(b"\r\n", 1)[0].split(b" ", 1)[-1]
        if status.startswith(b"401"):
            self._reject("it refuses this token" if self.token else "it asks for a token", Unauthorized)
            return
        if not head.startswith(b"HTTP/") or not status.startswith(b"101"):
            self._reject(f"no websocket there: it answered {status[:80].decode('ascii', 'replace')!r}")
            return
        self._protocol.receive_data(head)
        for response in self._protocol.events_received():
            if isinstance(response, Response) and self._protocol.handshake_exc is None:
                self._run()
                self.opened(response)
                if not self._ready.done():
                    self._ready.set_result(None)
                return
        self._reject(f"not a websocket's answer: {self._protocol.handshake_exc}")

    def _refuse_upgrade(self) -> None:
        self._reject(f"its answer is longer than {self.limits.upgrade_bytes} bytes")

    def _reject(self, why: str, kind: type[PeerError] = PeerError) -> None:
        self._fail(why, kind)
        self.abort(why)

    def _fail(self, why: str, kind: type[PeerError] = PeerError) -> None:
        if not self._ready.done():
            self._ready.set_exception(kind(why))
            # Read, so that a connection nobody waits for any more leaves no "never retrieved" in the log.
            self._ready.exception()


C = TypeVar("C", bound=ClientConnection)


async def connect(
    factory: Callable[[], C],
    host: str,
    port: int,
    endpoint: str = "/",
    scheme: str = "ws",
    credentials: Credentials = NO_CREDENTIALS,
    timeout: float = CONNECT_SECONDS,
) -> C:
    """Connect to `scheme://host:port/endpoint`; returns the connection that `factory` made, after its `opened`.

    `timeout` is in seconds. Raises `OSError` (refused, no such host, `TimeoutError`, `ssl.SSLError`), `PeerError` (no
    websocket there), `Unauthorized` (not with this token) or `LocalError` (no such address can be).
    """
    connection = factory()
    connection.token = credentials.token
    secure = scheme == "wss"
    name = f"[{host}]" if ":" in host else host
    uri = f"{scheme}://{name}:{port}/{endpoint.lstrip('/')}"
    try:
        connection.uri = parse_uri(uri)
    except InvalidURI as error:
        raise LocalError(f"{uri}: {error}") from None
    async with asyncio.timeout(timeout):
        await asyncio.get_running_loop().create_connection(
            lambda: connection,
            host,
            port,
            ssl=(credentials.tls or True) if secure else None,
            server_hostname=(credentials.server_name or host) if secure else None,
        )
        try:
            await connection.ready()
        except asyncio.CancelledError:
            connection.abort("no answer in time")
            raise
    return connection
