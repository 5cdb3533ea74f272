"""The canonical JSON text that 0.5.0 signs, and the place of the signature in it.

It is `json.dumps(message, indent=0, sort_keys=True, separators=(",", ":"))`. With an indentation, Python's own encoder
is the slow one: the newlines around brackets are put in afterwards, unless a string contains brackets.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

SIGN = "__sign__"

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",\n", ":")).encode
_NO_BRACKET_IN_STRINGS = re.compile(r'(?:[^"]++|"(?:[^"\\{}\[\]]++|\\.)*+")*+').fullmatch

# A newline stands in no JSON string, so this is a member, though perhaps one of an inner dict.
_SIGNS = re.compile(rb'\n"__sign__":"([0-9a-f]{40})"(,?)').finditer
# Inner dicts that look signed, as where an event is forwarded inside another; each look costs one hash.
MAX_SIGNS = 8


def canonical(message: Any) -> bytes:
    """The canonical text; TypeError or ValueError for what is not JSON, as `json.dumps` raises them."""
    text = _ENCODE(message)
    if not _NO_BRACKET_IN_STRINGS(text):
        return json.dumps(message, indent=0, sort_keys=True, separators=(",", ":")).encode()
    text = text.replace("{", "{\n").replace("}", "\n}").replace("[", "[\n").replace("]", "\n]")
    return text.replace("{\n\n}", "{}").replace("[\n\n]", "[]").encode()


def with_sign(message: dict[str, Any], text: bytes, sign: str) -> bytes:
    """The canonical text of a dict with its signature as a member; `text` is that of the dict without it."""
    if not message:
        return b'{\n"%b":"%b"\n}' % (SIGN.encode(), sign.encode())
    if min(message) > SIGN:
        return b'{\n"%b":"%b",%b' % (SIGN.encode(), sign.encode(), text[1:])
    return canonical({**message, SIGN: sign})


def without_sign(text: bytes) -> Iterator[tuple[str, bytes]]:
    """What may be the signature of a canonical text, with the text as it was before: outer member or inner ones."""
    for found in islice(_SIGNS(text), MAX_SIGNS):
        start, end = found.span()
        if not found[2]:
            if text[start - 1 : start] == b",":
                start -= 1
            else:
                end += 1
        yield found[1].decode(), text[:start] + text[end:]
