"""Ids of devices and of streams.

Those of devices appear in names, globs, file names and log lines, and mean nothing special in any of them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeGuard

MAX_ID_CHARS = 32

STREAM_DIGITS = 16

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def is_id(text: object) -> bool:
    """True for 1 to 32 letters, digits, '-' and '_'."""
    if type(text) is not str or not 0 < len(text) <= MAX_ID_CHARS:
        return False
    for character in text:
        if character not in _ALPHABET:
            return False
    return True


def is_stream(value: object) -> "TypeGuard[str]":
    """True for the 16 lower-case hex digits of a stream."""
    try:
        return type(value) is str and len(value) == STREAM_DIGITS and bytes.fromhex(value).hex() == value
    except ValueError:
        return False
