r"""Segments: what a board keeps on flash of the events that wait, as lines of bytes.

    line = crc32 of the body, 8 hex digits, "\t", body, "\n"
    body = number "\t" name "\t" payload                       an event
           "0" "\t" stream "\t" last                           the head, the first line of a segment

Rules of the format:
1. A segment is written once, as a whole, and never changed. Its head says under which stream the events are numbered
   (nothing, while the gateway has given none) and the number of its last one, also where that was never written.
2. JSON has neither a tab nor a line end in it, and names have none, so every intact line is found again, whatever
   became of the others.
3. A line that is not intact is passed over. What is read is never longer than `MAX_LINE`.
"""

from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The longest event that any link takes, and what stands around it.
MAX_LINE = 4352

# What is read at a time: `readline` of a board makes room for the longest line that is allowed, each time.
_READ_BYTES = 256

# Digits of the checksum and the tab behind them.
_CHECK_BYTES = 9


def pack(number: int, name: str, payload: bytes) -> bytes:
    """The line of an event; of the head for number 0, with the stream as the name, the last number as the payload."""
    body = b"%d\t%s\t%s" % (number, name.encode(), payload)
    return b"%08x\t%s\n" % (crc32(body), body)


def parse(line: bytes) -> "tuple[int, str, bytes] | None":
    """(number, name, payload) of a line with its end; None when it is not intact."""
    body = line[_CHECK_BYTES:-1]
    parts = body.split(b"\t")
    if line[:_CHECK_BYTES] != b"%08x\t" % crc32(body) or line[-1:] != b"\n" or len(parts) != 3:
        return None
    try:
        return int(parts[0]), str(parts[1], "utf-8"), parts[2]
    except ValueError:
        return None


def lines(read: "Callable[[int], bytes]") -> "Any":
    """Yield (intact record or None, bytes up to here) for each line of what `read(n)` gives, n bytes or less a time."""
    data, position = b"", 0
    while True:
        more = read(_READ_BYTES)
        data += more
        start = 0
        end = data.find(b"\n") + 1
        while end:
            yield parse(data[start:end]), position + end
            start = end
            end = data.find(b"\n", start) + 1
        if start == 0 and (not more or len(data) > MAX_LINE):
            start = len(data)
            if start:
                yield None, position + start
        if not more and not data:
            return
        data = data[start:]
        position += start
