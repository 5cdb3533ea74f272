"""Lines of a serial port, both directions: `core/framing.py`.

The first byte of the input says which end it is, and whether the lines that follow get their checksums here.
"""

from oracle import bounded

from eventhive.core.framing import ACKNOWLEDGE, CHALLENGE, DATA, HELLO, MAX_TEXT, READY, TEXT, SerialLine, pack_line

PORTABLE = STREAM = True
LONGEST = 200
SHARE = 12
ERRORS = ()

LIMIT = 126


def feed(pieces, seen):
    data = b"".join(pieces)
    is_device = data[:1] in (b"\x01", b"\x03")
    if data[:1] in (b"\x02", b"\x03"):
        data = packed(b"#>" if is_device else b"#<", data[1:])
        pieces = [data] if len(pieces) == 1 else [data[at : at + 1] for at in range(len(data))]
    line, text = SerialLine(is_device, LIMIT), []
    line.send(READY if is_device else CHALLENGE)
    line.send(DATA, b"waiting")
    line.data_to_send()
    for piece in pieces:
        _take(line, piece, seen, text)
    bounded(line, MAX_TEXT + 1024)
    _take(line, b"\n", seen, text)
    line.tick(250)
    seen.append((line.damaged, line.stray, b"".join(text), line.data_to_send()))


def _take(line, data, seen, text):
    for kind, payload in line.receive_data(data):
        if kind == TEXT:
            # Where text without an end is cut does depend on how it comes.
            text.append(payload)
        else:
            seen.append((kind, payload))


def packed(marker, data):
    """Intact lines: a kind, two numbers and a payload each, before a line feed. No luck makes a checksum right."""
    lines = [one for one in data.split(b"\n") if len(one) > 2]
    return b"".join([pack_line(marker, one[:1], one[1], one[2], one[3 : 3 + LIMIT]) for one in lines])


def seeds():
    up = [
        pack_line(b"#<", READY, 0, 0),
        pack_line(b"#<", HELLO, 0, 0, b"\x02" * 44),
        pack_line(b"#<", DATA, 1, 0, b'[0,20]'),
        pack_line(b"#<", ACKNOWLEDGE, 0, 1),
    ]
    down = [
        pack_line(b"#>", CHALLENGE, 0, 0, b"\x01" * 22),
        pack_line(b"#>", ACKNOWLEDGE, 0, 0),
        pack_line(b"#>", DATA, 1, 1, b'[1,0,"a1a2a3a400000001",0]'),
    ]
    console = b"MicroPython v1.28\r\n>>> print(1)\r\n1\r\n"
    return {
        "to-gateway": b"\x00" + b"".join(up),
        "to-device": b"\x01" + b"".join(down),
        "intact": b"\x02R\x00\x00\nH\x00\x00" + b"\x02" * 44 + b"\nD\x01\x00[0,20]\nD\x02\x01[5,0]\nA\x00\x02",
        "intact-down": b"\x03C\x00\x00" + b"\x01" * 22 + b"\nA\x00\x00\nD\x01\x01[1]\nD\x01\x01[1]\nX\x00\x00",
        "console": b"\x00" + console + b"half a line " + up[0] + console,
        "endless-text": b"\x00" + b"x" * 3200,
        "echo": b"\x00" + down[0] + up[0],
        "damaged": b"\x01" + down[0].replace(b"AQ", b"AR") + down[1],
    }
