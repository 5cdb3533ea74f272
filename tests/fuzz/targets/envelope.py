"""The text of a record: `core/envelope.py`. What is JSON by its rule survives being written and read again."""

import sys

from cutting import DEEP
from oracle import require

from eventhive.core.envelope import check_data, encode, messages
from eventhive.core.errors import LocalError

PORTABLE = True
STREAM = False
LONGEST = 300
SHARE = 200
ERRORS = ()


def feed(pieces, seen):
    found = messages(pieces[0])
    seen.append(found is None)
    for message in found or ():
        try:
            check_data(message)
            text = encode(message)
        except LocalError:
            continue
        again = messages(text)
        rounded = sys.implementation.name == "micropython" and _has_float(message)
        require(again == [message] or rounded, "%r becomes %r" % (message, again))


def _has_float(value):
    """A board's floats are rounded when they are written."""
    if type(value) is dict:
        value = list(value.values())
    return any(map(_has_float, value)) if type(value) is list else type(value) is float


def seeds():
    return {
        "message": encode([2, "my-hive/queen/temperature", {"celsius": 21.5, "ok": True, "note": None}]),
        "messages": b'[[5,0],[3,17],[2,1,"\xc3\xa9\\u00e9"]]',
        "deep": b'[2,"a/b/c",[[[[[[[[[[[[[[{"a":{"b":1}}]]]]]]]]]]]]]]]',
        "deepest": DEEP,
        "surrogates": b'[2,"a/b/c","\\ud83d\\ude00 \\ud83d"]',
        "numbers": b"[2,1,[1e999,-0,12345678901234567890,NaN,-Infinity,0.1]]",
    }
