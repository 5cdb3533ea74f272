"""Event names: `event`, `channel/event` and `network/channel/event`.

The number of parts is the routing: one part never leaves the process, two parts can be reached from outside, three
parts travel over the named network. Whatever follows the second separator belongs to the event.
"""

from .errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEPARATOR = "/"

# A name travels in full at least once per session, next to its data, on lines as short as 200 characters.
MAX_NAME_BYTES = 96


def split_name(name: str) -> "tuple[str | None, str | None, str]":
    """Split a name into (network, channel, event); parts that the name does not have are None."""
    parts: "list[Any]" = name.split(SEPARATOR, 2)
    return tuple([None] * (3 - len(parts)) + parts)


def is_remote(name: str) -> bool:
    """True when the name has a network part, so that calling it sends it."""
    return name.count(SEPARATOR) > 1


def local_name(name: str) -> str:
    """The name that the receiver of a remote event calls: without its network."""
    return name.split(SEPARATOR, 1)[1]


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
