"""Lines of a segment on a board's flash: `core/segment.py`.

The first byte of the input says whether what follows are lines as they lie there, or bodies that get their checksum.
"""

from binascii import crc32

from oracle import require

from eventhive.core.segment import lines, pack

PORTABLE = STREAM = True
LONGEST = 300
SHARE = 8
ERRORS = ()


def feed(pieces, seen):
    data = b"".join(pieces)
    at = [1 if data else 0]
    whole = data[:1] < b"\x80"
    if not whole:
        data = data[:1] + b"".join([b"%08x\t%s\n" % (crc32(body), body) for body in data[1:].split(b"\n")])
    # A file gives what is asked for, or less.
    most = 1 if len(pieces) > 1 else len(data)

    def read(size):
        start = at[0]
        at[0] = min(start + min(size, most), len(data))
        return data[start : at[0]]

    end = 0
    for record, position in lines(read):
        require(position > end, "it goes back from %d to %d" % (end, position))
        end = position
        seen.append((record, position))
        if record and whole:
            require(list(lines(_reader(pack(*record)))) == [(record, len(pack(*record)))], "%r is lost" % (record,))
    require(end == max(0, len(data) - 1), "%d bytes of %d were looked at" % (end, len(data) - 1))


def _reader(line):
    left = [line]

    def read(size):
        data, left[0] = left[0], b""
        return data

    return read


def seeds():
    whole = pack(0, "a1a2a3a400000001", b"2") + pack(1, "net/queen/t", b'{"c":21.5}') + pack(2, "net/queen/t", b"[]")
    return {
        "whole": b"\x00" + whole,
        "torn": b"\x00" + whole[:-5],
        "damaged": b"\x00" + whole[:50] + b"?" + whole[51:],
        "bodies": b"\xff0\ta1a2a3a400000001\t2\n1\tnet/queen/t\t{}\n-1\t\xff\t\nx\ty\tz\n\n1\t2",
    }
