"""Whom a websocket server lets in: no I/O."""

import hmac
import logging
from collections.abc import Callable, Iterable

from websockets.http11 import Request

from ..bounded_log import BoundedLog
from ..websocket import UNAUTHORIZED

# Three quarters of the descriptors that a process usually has (1024), so that the program around the server goes on
# opening files; a network of more processes than that is one for a broker.
MAX_CONNECTIONS = 768
# So many more are listened to, so that they can be told why they are not let in.
REFUSED_CONNECTIONS = 32

# Lines of one minute about clients that are refused: enough to see who and why, and to ban addresses.
REFUSED_LINES = 30

FORBIDDEN = 403
UNAVAILABLE = 503

logger = logging.getLogger("eventhive")


class Admission:
    """The door of the server of `network`; where there are `tokens`, a client must present one of them.

    `connections` counts them from the first byte on.
    """

    def __init__(self, network: str, tokens: Iterable[str], clock: Callable[[], float]):
        self.network = network
        self.connections = 0
        self._expected = [f"Bearer {token}".encode() for token in tokens]
        self._crowded = False
        self._refused = BoundedLog(logger, f"clients of {network} refused", REFUSED_LINES, clock)

    def enter(self) -> bool:
        """Count a new connection; false when there are too many even to be told so."""
        self.connections += 1
        if self.connections > MAX_CONNECTIONS and not self._crowded:
            self._crowded = True
            logger.error("%s: more than %d connections: no others are let in", self.network, MAX_CONNECTIONS)
        return self.connections <= MAX_CONNECTIONS + REFUSED_CONNECTIONS

    def leave(self) -> None:
        """Count a connection that is gone."""
        self.connections -= 1
        self._crowded = self._crowded and self.connections > MAX_CONNECTIONS // 2

    def check(self, request: Request, peer: str) -> tuple[int, str] | None:
        """Decide about an upgrade: None for a client that may come in, or an HTTP status and a text."""
        if self.connections > MAX_CONNECTIONS:
            return UNAVAILABLE, f"this hive has {MAX_CONNECTIONS} connections already"
        if "Origin" in request.headers:
            # Any page could make a browser connect to a hive of its user's machine.
            status, why = FORBIDDEN, "this hive is not for web pages"
        elif self._expected and not self._is_known(request):
            status, why = UNAUTHORIZED, "this hive asks for a token (Authorization: Bearer ...)"
        else:
            return None
        self._refused(logging.WARNING, "%s: %s is refused: %s", self.network, peer, why)
        return status, why

    def warn(self, address: str, secure: bool) -> None:
        """Say what a server risks that listens for other machines, if it does risk something."""
        if not self._expected:
            who, remedy = "anyone who can reach", "set 'token' or 'token_file' (and 'scheme: wss') in its 'init'"
        elif not secure:
            who, remedy = "anyone who can listen in on", "set 'scheme: wss', 'cert' and 'key' in its 'init'"
        else:
            return
        logger.warning(
            "%s: %s %s can read and send the events of this hive: %s, or listen on 127.0.0.1",
            self.network,
            who,
            address,
            remedy,
        )

    def _is_known(self, request: Request) -> bool:
        given = "".join(request.headers.get_all("Authorization")).encode(errors="replace")
        # All are compared, each in constant time: how long it takes tells nothing about any of them.
        return sum(hmac.compare_digest(given, expected) for expected in self._expected) > 0
