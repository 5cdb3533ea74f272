"""Data as compact JSON bytes, and the messages of a record.

What a sender's JSON writer lets pass differs from board to board (`inf`, objects, bytes), so data is checked here, by
the same rule on both ends, when it is given and when it arrives. A record holds one message, a JSON array whose first
item is its kind, or an array of messages.
"""

from .errors import LocalError

try:
    from json import JSONDecoder  # MicroPython has none

    from .json_host import dumps, loads
except ImportError:
    import json

    loads = json.loads

    def dumps(value: object) -> str:
        """Compact JSON."""
        return json.dumps(value, separators=(",", ":"))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPEN = 0
WELCOME = 1
EVENT = 2
ACK = 3
STREAM = 4
PING = 5
PONG = 6
BYE = 7
ASK = 8
REPLY = 9
ONCE = 10
HOOKS = 11
STATUS = 12

# Each level costs a frame of the C stack on a board, which has about 8 KB of it.
MAX_DEPTH = 16


def check_data(value: "Any", depth: int = 0) -> None:
    """Raise `LocalError` unless it is JSON: None, bool, int, finite float, str, lists and str-keyed dicts of these."""
    kind = type(value)
    if kind is dict:
        for key in value:
            if type(key) is not str:
                raise LocalError("the key %r is not a string" % (key,))
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        items = (value,)
        depth -= 1
    if depth >= MAX_DEPTH:
        raise LocalError("data nested deeper than %d levels" % MAX_DEPTH)
    for item in items:
        kind = type(item)
        if kind is str or kind is int or item is None or kind is bool:
            continue
        if kind is float:
            if item - item != 0:
                raise LocalError("%r has no JSON form" % item)
        elif kind is dict or kind is list or kind is tuple:
            check_data(item, depth + 1)
        else:
            raise LocalError("a %s is not JSON: use dict, list, str, int, float, bool or None" % kind.__name__)


def encode(value: object) -> bytes:
    """Compact JSON of `value` in UTF-8; `LocalError` says what in it is not JSON."""
    check_data(value)
    try:
        data = dumps(value).encode()
    except UnicodeError:
        raise LocalError("a string holds half of a surrogate pair")
    # MicroPython writes a lone surrogate as if it were a character (bytes ED A0..BF xx), which no UTF-8 reader takes.
    at = data.find(b"\xed")
    while at >= 0:
        if data[at + 1] >= 0xA0:
            raise LocalError("a string holds half of a surrogate pair")
        at = data.find(b"\xed", at + 1)
    return data


def messages(data: bytes) -> "list[list[Any]] | None":
    """The messages of a record's text, in order; None when it is not JSON, nested too deep, or not made of messages."""
    try:
        value = loads(str(data, "utf-8"))
    except (ValueError, RuntimeError):
        return None
    if type(value) is not list or not value:
        return None
    if type(value[0]) is not list:
        value = [value]
    for message in value:
        if type(message) is not list or not message or type(message[0]) is not int:
            return None
    return value
