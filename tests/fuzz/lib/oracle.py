"""What holds for every input of every target; the same file on both interpreters.

Rules of a target, which is one file in `targets/`:
1. `feed(pieces, seen)` gives the pieces of one input to a fresh parser and appends what came out to the list `seen`.
   What it raises is one of `ERRORS`, the documented errors of the parser. Anything else is a finding.
2. With `STREAM`, the pieces are cut anywhere, and the result must not depend on where. Without it, there is one piece.
3. `seeds()` gives inputs by name, made by the real encoders: the corpus begins with them.
4. `PORTABLE` targets run on MicroPython too. `LONGEST` is the length of an input in bytes, `SHARE` how many of the
   inputs of a run it gets, beside those of the others: slow parsers get fewer.
"""

import sys

# More would not fit a board's heap: what is longer, as a few inputs of the corpus are, comes in pieces of some bytes.
_PIECES = 600


class Finding(Exception):
    """A parser did what its contract excludes."""


def outcome(target, pieces):
    """What a parser made of the pieces: (what came out, the documented error or None)."""
    seen = []
    try:
        target.feed(pieces, seen)
    except target.ERRORS as error:
        return seen, "%s: %s" % (type(error).__name__, error)
    return seen, None


def examine(target, data):
    """Try one input; raises `Finding`, or whatever undocumented exception the parser raised."""
    whole = outcome(target, (data,))
    if target.STREAM:
        size = 1 + len(data) // _PIECES
        cut = outcome(target, [data[at : at + size] for at in range(0, len(data), size)])
        if cut != whole:
            raise Finding("whole it gives %r, byte by byte %r" % (whole, cut))
    return whole


def require(holds, what):
    """Raise `Finding` unless something holds."""
    if not holds:
        raise Finding(what)


def bounded(parser, limit):
    """Raise `Finding` when a parser holds more than `limit` bytes and items; on MicroPython the heap is the limit."""
    if sys.implementation.name != "micropython":
        size = held(parser)
        require(size <= limit, "%s holds %d bytes and items, %d are allowed" % (type(parser).__name__, size, limit))


def held(parser):
    """Bytes of the strings and number of the items that an object of ours holds in its attributes."""
    size = 0
    known = set()
    waiting = [(parser, _DEPTH)]
    while waiting:
        value, depth = waiting.pop()
        kind = type(value)
        if kind in _TEXTS:
            size += len(value)
        elif kind in _SINGLE or id(value) in known:
            continue
        elif kind in _ITEMS or kind.__name__ == "deque":
            known.add(id(value))
            size += len(value)
            waiting += [(one, depth) for one in (value.items() if kind is dict else value)]
        elif depth and kind.__module__.startswith(_OURS):
            known.add(id(value))
            waiting += [(getattr(value, name, None), depth - 1) for name in attributes(value)]
    return size


# Objects within objects that belong to a parser; what is further away is its world.
_DEPTH = 2
# And the library that parses what is rare on a websocket.
_OURS = ("eventhive", "micro.", "websockets.")
_TEXTS = (bytes, bytearray, str)
_ITEMS = (dict, list, tuple, set)
_SINGLE = (int, float, bool, type(None), type)


def attributes(value):
    """The names of the attributes of an object, those in slots too."""
    names = list(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
    return names
