"""The connecting end of a websocket: the answer to its upgrade, and frames, `eventhive/websocket/`.

The first byte of the input says whether the upgrade is done before what follows.
"""

from oracle import bounded
from still import Transport, standing_still
from upgraded import BINARY, CLOSE, KEY, PING, TEXT, plain, response
from websockets.uri import parse_uri

from eventhive.websocket import ClientConnection, Limits

PORTABLE = False
STREAM = True
LONGEST = 400
SHARE = 2
ERRORS = ()

LIMITS = Limits(upgrade_bytes=600, max_message=300)
_URI = parse_uri("ws://127.0.0.1:8085/pubsub")


class Recorder(ClientConnection):
    """Notes what it is told."""

    subprotocols = ("eventhive.lean.1",)
    __slots__ = ("seen",)

    def __init__(self, seen):
        super().__init__(LIMITS)
        self.seen = seen
        self.uri = _URI

    def connection_made(self, transport):
        super().connection_made(transport)
        # As if it had drawn this one.
        self._protocol.key = KEY

    def opened(self, response):
        self.seen.append(("opened", self.subprotocol))

    def message(self, data):
        self.seen.append(data)

    def closed(self, code, reason):
        self.seen.append((code, reason))


def feed(pieces, seen):
    with standing_still() as loop:
        connection = Recorder(seen)
        transport = Transport(loop, connection)
        selected = None
        for piece in pieces:
            if selected is None and piece:
                selected, piece = piece[0] & 1, piece[1:]
                if selected:
                    transport.feed(response())
            if piece:
                transport.feed(piece)
        bounded(connection, 4 * (LIMITS.upgrade_bytes + LIMITS.max_message))
        transport.end()
    # Its masks are random; how much it writes is not.
    seen.append(len(b"".join(transport.written)))


def seeds():
    ping, bye = plain(PING, b"?"), plain(CLOSE, (1000).to_bytes(2, "big") + b"bye")
    return {
        "upgrade": b"\x00" + response("eventhive.lean.1") + plain(TEXT, b"hello"),
        "frames": b"\x01" + plain(TEXT, b"hello") + ping + plain(BINARY, bytes(130)) + bye,
        "fragments": b"\x01" + plain(0x01, b"he") + ping + plain(0x00, b"ll") + plain(0x80, b"o") + bye,
        "too-long": b"\x01" + plain(TEXT, b"x" * 310),
        "unauthorized": b"\x00HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n\r\n",
        "page": b"\x00HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    }
