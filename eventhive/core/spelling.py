"""How the name of an event is spelt, and what is a pattern of names; `names.py` says what its parts mean."""

from .errors import LocalError
from .names import SEPARATOR

# A name travels in full at least once per session, next to its data, on lines as short as 200 characters.
MAX_NAME_BYTES = 96


def is_glob(name: str) -> bool:
    """True when the name is a pattern rather than the name of one event."""
    return "*" in name or "?" in name


def check_name(name: object) -> str:
    """Return the name of one event, or raise `LocalError` that says what is wrong with it."""
    if type(name) is not str or len(name) > MAX_NAME_BYTES:
        raise LocalError("an event name must be a string, of 1 to %d bytes" % MAX_NAME_BYTES)
    for character in name:
        # Halves of surrogate pairs stand between these two.
        if character <= " " or character in "*?\x7f" or "\ud7ff" < character < "\ue000":
            raise LocalError("event name %r: no space, control character, '*' or '?'" % name)
    if SEPARATOR * 2 in SEPARATOR + name + SEPARATOR or len(name.encode()) > MAX_NAME_BYTES:
        raise LocalError("event name %r: no empty part, and 1 to %d bytes" % (name, MAX_NAME_BYTES))
    return name
