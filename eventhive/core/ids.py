"""Ids of devices. They appear in names, globs, file names and log lines, and mean nothing special in any of them."""

MAX_ID_CHARS = 32

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def is_id(text: object) -> bool:
    """True for 1 to 32 letters, digits, '-' and '_'."""
    if type(text) is not str or not 0 < len(text) <= MAX_ID_CHARS:
        return False
    for character in text:
        if character not in _ALPHABET:
            return False
    return True
