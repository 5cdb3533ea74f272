"""A serial port of the gateway: lines, hand-shakes and sessions, `gateway/serial_link.py`, over a pair of sockets.

Each line is read by itself: a device says nothing more until it is answered.
"""

import socket

from oracle import bounded, require
from pure import Stand
from still import standing_still

from eventhive.core.framing import ACKNOWLEDGE, DATA, HELLO, READY, pack_line
from eventhive.gateway.serial_link import MESSAGE_BYTES, SerialLink

PORTABLE = False
STREAM = False
LONGEST = 500
SHARE = 2
ERRORS = ()

_HELLO = bytes((2, 1, 0, 0, 4, 0)) + bytes(28)


def feed(pieces, seen):
    stand = Stand()
    ours, theirs = socket.socketpair()
    with ours, theirs, standing_still():
        ours.setblocking(False)
        theirs.setblocking(False)
        link = SerialLink(stand.bridge, "/dev/fuzzed", 115200)
        link._file = ours
        for piece in pieces[0].splitlines(True):
            theirs.send(piece)
            link._readable()
            _discard(theirs)
            require(link._file is ours, f"a device closes the port: {link.state}")
        bounded(link, 16 * MESSAGE_BYTES)
        link.tick(250)
        link.stop()
    seen.extend(stand.hub.events)
    seen.append(sorted(stand.devices.by_name))


def _discard(theirs):
    try:
        while theirs.recv(4096):
            pass
    except BlockingIOError:
        pass


def flight(name, *records):
    """What a device without a key sends, from its first line on."""
    hello = _HELLO + bytes((len(name),)) + name
    lines = [pack_line(b"#<", READY, 0, 0), pack_line(b"#<", HELLO, 0, 0, hello)]
    lines += [pack_line(b"#<", DATA, number, 0, record) for number, record in enumerate(records, 1)]
    return b"".join(lines)


def seeds():
    stream, event = b'[4,"a1a2a3a400000001",1]', b'[2,"my-hive/queen/temperature",{"celsius":21.5}]'
    session = flight(b"sensor-1", b"[0,20]", stream, event)
    return {
        "session": session + pack_line(b"#<", ACKNOWLEDGE, 0, 1),
        "console": b"MPY: soft reboot\r\n" + session + b"Traceback (most recent call last):\r\n" + session,
        "another": session + flight(b"sensor-2", b"[0,20]", stream, event),
        "unproved": session + flight(b"a", b"[]") + pack_line(b"#<", DATA, 4, 0, b"[5,1]"),
        "enrolled": flight(b"a", b"[0,20]"),
        "no-session": pack_line(b"#<", DATA, 9, 3, b"[5,1]"),
    }
