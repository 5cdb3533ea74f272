"""Which serial ports the entries of a configuration mean, of those that there are.

Rules of this file:
1. No I/O: what there is, is given. A port is told by its real path, so that no link to it makes two of it.
2. A port belongs to one entry: to the one that says most about it, and of those alike to the first.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

# Ports of one entry: more boards than hubs have places; a glob that means more is a mistake.
MAX_PORTS = 64

# An entry of the configuration: `SerialPort`.
Entry = Any


class Listed(Protocol):
    """A port as pyserial's `list_ports` has it; what is not known of it is None."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


class Match(NamedTuple):
    """A port that an entry means; `taken` is the entry that has it, where that is another one."""

    entry: Entry
    path: str
    taken: Entry = None


def of_usb(entry: Entry, listed: Iterable[Listed]) -> list[str]:
    """The ports of the devices with the vendor, product and serial number of an entry, as far as it names them."""
    found = []
    for one in listed:
        if one.vid is None or one.pid is None:
            continue
        usb = f"{one.vid:04x}:{one.pid:04x}"
        number = (one.serial_number or "").lower()
        if entry.usb in ("", usb) and entry.serial_number.lower() in ("", number):
            found.append(one.device)
    return sorted(found)[:MAX_PORTS]


def assign(meant: Sequence[tuple[Entry, Sequence[str]]], real: Callable[[str], str]) -> list[Match]:
    """Which entry has which of the ports that each means, in the order of the entries; `real` resolves links.

    An exact path that another entry has is a match too, so that it can be said; what a glob means as well is none.
    """
    owners: dict[str, Entry] = {}
    paths: dict[str, str] = {}
    for entry, means in sorted(meant, key=lambda one: one[0].rank):
        for path in means:
            target = real(path)
            if target not in owners:
                owners[target], paths[target] = entry, path
    found = []
    for entry, means in meant:
        for path in means:
            target = real(path)
            if owners[target] is entry and paths[target] == path:
                found.append(Match(entry, path))
            elif owners[target] is not entry and entry.exact:
                found.append(Match(entry, path, owners[target]))
    return found
