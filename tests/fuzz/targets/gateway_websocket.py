"""A device's connection to the gateway, from its first byte: `gateway/websocket_link.py`.

The first byte of the input says whether the upgrade is done before what follows; the device has no key.
"""

from oracle import bounded, require
from pure import Stand
from still import Transport, standing_still
from upgraded import BINARY, CLOSE, TEXT, masked, request

from eventhive.gateway.websocket_link import MESSAGE_BYTES, WebsocketLinks

PORTABLE = False
STREAM = True
LONGEST = 400
SHARE = 1
ERRORS = ()

PATH = "/device"
HELD = 16 * MESSAGE_BYTES
_HELLO = bytes((2, 1, 0, 0, 4, 0)) + bytes(28)


def feed(pieces, seen):
    stand = Stand()
    with standing_still() as loop:
        links = WebsocketLinks(stand.bridge, PATH, False, 1024)
        connection = links()
        transport = Transport(loop, connection)
        selected = None
        for piece in pieces:
            if selected is None and piece:
                selected, piece = piece[0], piece[1:]
                if selected & 1:
                    transport.feed(request(path=PATH))
            if piece:
                transport.feed(piece)
        bounded(connection, HELD)
        seen.append((connection.device.name if connection.device else None, connection.is_open))
        transport.end()
        require(not links.connections and not links.half_open.count, "a connection that is gone is counted")
    seen.extend(stand.hub.events)
    seen.append(sorted(stand.devices.by_name))


def flight(name, *records):
    """The frames of a device without a key."""
    hello = _HELLO + bytes((len(name),)) + name
    return b"".join([masked(BINARY, message) for message in (hello, b"[0,20]", *records)])


def seeds():
    session = flight(b"sensor-1", b'[4,"a1a2a3a400000001",1]', b'[2,"my-hive/queen/temperature",{"celsius":21.5}]')
    bye = masked(CLOSE, (1000).to_bytes(2, "big"))
    return {
        "session": b"\x01" + session + masked(BINARY, b"[5,1]") + bye,
        "upgrade": b"\x00" + request(path=PATH) + session,
        "browser": b"\x00" + request(path=PATH).replace(b"Host:", b"Origin: x\r\nHost:"),
        "elsewhere": b"\x00" + request(path="/pubsub"),
        "text": b"\x01" + masked(TEXT, b"[0,20]"),
        "enrolled": b"\x01" + flight(b"a"),
        "too-much": b"\x01" + masked(BINARY, bytes(1025)),
    }
