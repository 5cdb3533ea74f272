"""Event names: `event`, `channel/event` and `network/channel/event`.

The number of parts is the routing: one part never leaves the process, two parts can be reached from outside, three
parts travel over the named network. Whatever follows the second separator belongs to the event.
"""

from .errors import LocalError

SEPARATOR = "/"

# A name travels in full at least once per session, next to its data, on lines as short as 200 characters.
MAX_NAME_BYTES = 96


def split_name(name: str) -> "tuple[str | None, str | None, str]":
    """Split a name into (network, channel, event); parts that the name does not have are None."""
    parts = name.split(SEPARATOR, 2)
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    if len(parts) == 2:
        return None, parts[0], parts[1]
    return None, None, name


def is_remote(name: str) -> bool:
    """True when the name has a network part, so that calling it sends it."""
    return name.count(SEPARATOR) >= 2


def local_name(name: str) -> str:
    """The name that the receiver of a remote event calls: without its network."""
    return name.split(SEPARATOR, 1)[1]


def is_glob(name: str) -> bool:
    """True when the name is a pattern rather than the name of one event."""
    return "*" in name or "?" in name


def check_name(name: object) -> str:
    """Return the name of one event, or raise `LocalError` that says what is wrong with it."""
    if type(name) is not str:
        raise LocalError("an event name is a string, not %r" % (name,))
    if not name or len(name.encode()) > MAX_NAME_BYTES:
        raise LocalError("event name %r: 1 to %d bytes are allowed" % (name[:40], MAX_NAME_BYTES))
    for character in name:
        if character <= " " or character in "*?\x7f":
            raise LocalError("event name %r: no spaces, control characters, '*' or '?'" % name)
    for part in name.split(SEPARATOR):
        if not part:
            raise LocalError("event name %r: an empty part beside '%s'" % (name, SEPARATOR))
    return name


def glob_match(name: str, pattern: str) -> bool:
    """True when the whole name matches the glob: '*' is any run of characters (separators too), '?' any single one."""
    at = star = mark = 0
    seen_star = False
    here = 0
    while at < len(name):
        if here < len(pattern) and pattern[here] == "*":
            seen_star, star, mark = True, here, at
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", name[at]):
            here += 1
            at += 1
        elif seen_star:
            mark += 1
            here, at = star + 1, mark
        else:
            return False
    return not pattern[here:].strip("*")
