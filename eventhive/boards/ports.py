"""The serial ports of this machine, and why one cannot be opened; or one of another machine, which a URL names."""

import errno
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..core.errors import LocalError

BUSY = "another program has it open: close that one (a terminal, mpremote, an IDE), or stop the gateway that uses it"

_PROBLEMS = {
    errno.ENOENT: "there is no such port: plug the board in; 'eventhive device ports' shows what there is",
    errno.EACCES: "no permission: add yourself to the group that owns it (often 'dialout'), and log in again",
    errno.EAGAIN: BUSY,
    errno.EBUSY: BUSY,
    errno.ENOTTY: "it is no serial port: 'eventhive device ports' shows what there is",
    errno.EIO: "it went away: look at the cable, and try again",
    errno.ENXIO: "it went away: look at the cable, and try again",
    errno.ENODEV: "it went away: look at the cable, and try again",
}

# What pyserial says of a URL, which has no number, and what it is to a person.
_REMOTE = {
    "does not seem to support": (
        "what answers there speaks no RFC 2217, or is busy: close the other program that uses the port"
    ),
    "Could not open": "no serial server answers there: look at its address, and whether it runs",
    "connection failed": "the connection with the serial server broke: try again",
}


@dataclass(frozen=True)
class Port:
    """One serial port; `description` is what the system calls it, `usb` its vendor and product, `serial` its number."""

    path: str
    description: str
    usb: str
    serial: str


def list_ports() -> list[Port]:
    """The ports with something plugged in, in the order of their names."""
    from serial.tools.list_ports import comports

    found = []
    for one in comports():
        usb = f"{one.vid:04x}:{one.pid:04x}" if one.vid is not None and one.pid is not None else ""
        # Without a type or an address it is a place in a table of the kernel, with no hardware behind it.
        if one.hwid != "n/a":
            found.append(Port(one.device, one.description or "", usb, one.serial_number or ""))
    return sorted(found, key=lambda port: port.path)


def is_remote(port: str) -> bool:
    """Whether it is the URL of a port of another machine."""
    return "://" in port


def check(port: str) -> None:
    """`LocalError` says why a port cannot be opened, and what to do."""
    import serial

    if is_remote(port) and not _has_address(port):
        raise LocalError(f"{port}: it has to look like rfc2217://HOST:PORT")
    try:
        serial.serial_for_url(port, exclusive=True, timeout=0).close()
    except (OSError, ValueError) as error:
        raise fault(port, error) from None


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname and parts.port)
    except ValueError:
        return False


def fault(port: str, error: Exception) -> LocalError:
    """What an error of a port is to a person."""
    if is_remote(port):
        known = [why for text, why in _REMOTE.items() if text in str(error)]
        return LocalError(f"{port}: {known[0] if known else error}")
    number = getattr(error, "errno", None)
    if number is None and os.strerror(errno.ENOTTY) in str(error):
        # pyserial passes this one on as a text only.
        number = errno.ENOTTY
    return LocalError(f"{port}: {_PROBLEMS.get(number or 0) or getattr(error, 'strerror', None) or error}")
