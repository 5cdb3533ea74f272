"""The accepting end of a websocket: upgrade and frames, `eventhive/websocket/`.

The first byte of the input says whether the upgrade is done before what follows.
"""

import re

from oracle import bounded
from still import Transport, standing_still
from upgraded import BINARY, CLOSE, PING, TEXT, masked, request

from eventhive.websocket import Limits, ServerConnection

PORTABLE = False
STREAM = True
LONGEST = 400
SHARE = 2
ERRORS = ()

LIMITS = Limits(upgrade_bytes=600, max_message=300)
_DATE = re.compile(rb"Date: [^\r]*")


class Recorder(ServerConnection):
    """Notes what it is told, and answers it."""

    subprotocols = ("eventhive.lean.1",)
    __slots__ = ("seen",)

    def __init__(self, seen):
        super().__init__(LIMITS)
        self.seen = seen

    def opened(self, request):
        self.seen.append(("opened", request.path, self.subprotocol))

    def message(self, data):
        self.seen.append(data)
        if isinstance(data, bytes):
            self.send_bytes(data)
        else:
            self.send_text(data)

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
                    transport.feed(request())
            if piece:
                transport.feed(piece)
        # Beside its own, the library's parser holds what is incomplete, and what it has not been asked for yet.
        bounded(connection, 4 * (LIMITS.upgrade_bytes + LIMITS.max_message))
        transport.end()
    seen.append(_DATE.sub(b"", b"".join(transport.written)))


def seeds():
    ping, bye = masked(PING, b"?"), masked(CLOSE, (1000).to_bytes(2, "big") + b"bye")
    return {
        "upgrade": b"\x00" + request("eventhive.lean.1") + masked(TEXT, b"hello"),
        "frames": b"\x01" + masked(TEXT, b"hello") + ping + masked(BINARY, bytes(130)) + bye,
        "fragments": b"\x01" + masked(0x01, b"he") + ping + masked(0x00, b"ll") + masked(0x80, b"o") + bye,
        "too-long": b"\x01" + masked(TEXT, b"x" * 310),
        "no-utf-8": b"\x01" + masked(TEXT, b"\xed\xa0\x80"),
        "unmasked": b"\x01\x81\x05hello",
        "tls": b"\x00\x16\x03\x01\x02\x00",
        "page": b"\x00GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    }
