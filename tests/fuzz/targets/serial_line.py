"""Lines of a serial port, both directions: `core/framing.py`. The first byte says which end it is."""

from oracle import bounded

from eventhive.core.framing import ACKNOWLEDGE, CHALLENGE, DATA, HELLO, MAX_TEXT, READY, TEXT, SerialLine, pack_line

PORTABLE = STREAM = True
LONGEST = 200
SHARE = 4
ERRORS = ()

LIMIT = 126


def feed(pieces, seen):
    line, selected, text = None, None, b""
    for piece in pieces:
        if selected is None and piece:
            selected, piece = piece[0] & 1, piece[1:]
            line = SerialLine(selected == 1, LIMIT)
            line.send(CHALLENGE if selected == 0 else READY)
            line.send(DATA, b"waiting")
            line.data_to_send()
        if line is None:
            continue
        for kind, payload in line.receive_data(piece):
            # Where text without an end is cut does depend on how it comes.
            text = text + payload if kind == TEXT else text
            if kind != TEXT:
                seen.append((kind, payload))
    if line is not None:
        bounded(line, 4 * MAX_TEXT)
        line.tick(250)
        seen.append((line.damaged, line.stray, text, line.data_to_send()))


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
        "console": b"\x00" + console + b"half a line " + up[0] + console,
        "echo": b"\x00" + down[0] + up[0],
        "damaged": b"\x01" + down[0].replace(b"AQ", b"AR") + down[1],
    }
