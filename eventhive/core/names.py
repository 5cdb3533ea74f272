"""Event names: `event`, `channel/event` and `network/channel/event`.

The number of parts is the routing: one part never leaves the process, two parts can be reached from outside, three
parts travel over the named network. Whatever follows the second separator belongs to the event.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEPARATOR = "/"


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
