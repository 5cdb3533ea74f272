"""Reading and writing JSON on CPython; no board loads this.

One prepared writer and reader: the convenience functions of `json` build theirs anew at each call.
"""

from json import JSONDecoder, JSONEncoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

dumps: "Callable[[object], str]" = JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_reader = JSONDecoder()
_scan = _reader.scan_once  # type: ignore[attr-defined]


def loads(text: str, /) -> object:
    """The value of a JSON text; ValueError when it is none, RecursionError when it is nested too deep."""
    # Without white space around it, which no sender writes, the scanner alone does it in half the time.
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _reader.decode(text)
    return value if end == len(text) else _reader.decode(text)
