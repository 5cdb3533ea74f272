"""Sealed records: `core/seal.py`. What was not sealed must not open, what was must give the same text.

The input is a text behind its length in one byte, then what is done to its record: nothing where nothing follows, else
(position in two bytes, byte) are XORed into it; what remains is appended.
"""

from oracle import require

from eventhive.core.errors import PeerError
from eventhive.core.seal import Sealed

PORTABLE = True
STREAM = False
LONGEST = 300
SHARE = 60
ERRORS = ()

_KEY = bytes(range(32))


def feed(pieces, seen):
    (data,) = pieces
    size = data[0] if data else 0
    text, change = data[1 : 1 + size], data[1 + size :]
    record = Sealed(_KEY).seal(text)
    altered = changed(record, change)
    opener = Sealed(_KEY)
    try:
        found = opener.open(altered)
    except PeerError:
        require(altered != record, "its own record is refused")
        # What is not authentic leaves no trace: the next one opens.
        found = opener.open(record)
    else:
        require(altered == record, "a changed record is taken")
    require(found == text, "another text comes out")
    seen.append(len(altered))


def changed(record, change):
    if len(change) < 3:
        return record[: len(record) - sum(change)] if change else record
    at = int.from_bytes(change[:2], "big") % len(record)
    return record[:at] + bytes((record[at] ^ change[2],)) + record[at + 1 :] + change[3:]


def seeds():
    text = b'[[4,"a1a2a3a400000001",1],[2,"my-hive/sensor-1/t",{"celsius":21.5}]]'
    whole = bytes((len(text),)) + text
    return {
        "whole": whole,
        "flipped": whole + b"\x00\x05\x80",
        "tag-flipped": whole + b"\x00\x50\x01",
        "longer": whole + b"\x00\x00\x00more",
        "shorter": whole + b"\x10",
        "empty": b"\x00",
    }
