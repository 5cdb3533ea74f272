"""Serial ports of this machine as files: which there are, how one is opened, and why one is not.

Rules of this file: a port that cannot be opened is in a state, and an error in the log is none; who holds it is looked
up in /proc, which takes a while. Nothing is opened to find out what it is.
"""

import contextlib
import errno
import fcntl
import glob
import grp
import os
import re
import stat
import termios
from typing import Any

from .. import holders
from .port_match import MAX_PORTS, Entry, of_usb

# The states of a port.
OPEN = "open"
ABSENT = "absent"
BUSY = "busy"
FORBIDDEN = "no permission"
VANISHED = "vanished"
LENT = "lent"
UNUSABLE = "unusable"
CLOSED = "closed"

STATES = (OPEN, ABSENT, BUSY, FORBIDDEN, VANISHED, LENT, UNUSABLE, CLOSED)

UNPLUGGED = "it was unplugged, or closed at its other end"
PLUG_IN = "there is no such device: plug it in, or correct 'serial:' in the gateway's configuration"
NO_MATCH = "nothing that is plugged in matches: plug it in, or correct 'serial:' in the gateway's configuration"

_WHY = {ABSENT: PLUG_IN, VANISHED: UNPLUGGED}

# How long the reset of a board is held: circuits need some 10 ms to discharge.
RESET_S = 0.1

_TTYS = "/sys/class/tty"
# Consoles of the kernel, and what makes pseudo-terminals: a glob such as /dev/tty* means them by mistake.
_NO_PORTS = re.compile(r"tty\d*|console|ptmx|ttyprintk")

_STATE = {
    errno.ENOENT: ABSENT,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EAGAIN: BUSY,
    errno.EBUSY: BUSY,
    errno.EIO: VANISHED,
    errno.ENXIO: VANISHED,
    errno.ENODEV: VANISHED,
}


def meant_by(entry: Entry) -> list[str]:
    """The paths of the ports that an entry means: of an exact one its path, of others those that are there."""
    if entry.exact:
        return [entry.port]
    if entry.port:
        return sorted(filter(_is_port, glob.glob(entry.port)))[:MAX_PORTS]
    from serial.tools.list_ports import comports

    return of_usb(entry, comports())


def open_port(entry: Entry, path: str) -> Any:
    """The port at a path, opened for this process alone, as its entry says; an OSError or a ValueError says why not.

    Linux asserts both lines at each opening, whatever was configured; what is lowered here was high for a moment. At
    the closing it lowers both at once, which resets no board, and tells a Pico that nobody reads any more.
    """
    import serial

    one = serial.Serial(timeout=0, write_timeout=0, exclusive=True)
    one.port, one.baudrate, one.dtr, one.rts = path, entry.baudrate, entry.dtr, entry.rts
    one.open()
    # The lock above is for those who ask for it; this is for all others but root.
    with contextlib.suppress(OSError):
        fcntl.ioctl(one.fileno(), termios.TIOCEXCL)
    return one


def close_port(one: Any) -> None:
    """Let others have it."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(one.fileno(), termios.TIOCNXCL)
    with contextlib.suppress(OSError):
        one.close()


def hold_reset(one: Any) -> bool:
    """Assert RTS without DTR, which holds the reset of a board with such a circuit; false where there are no lines."""
    try:
        one.rts, one.dtr = True, False
    except OSError:
        return False
    return True


def release_reset(one: Any, entry: Entry) -> None:
    """Let the board start. DTR first: to release RTS before would have an ESP32 wait for a firmware."""
    with contextlib.suppress(OSError):
        one.dtr, one.rts = entry.dtr, entry.rts


def state_of(error: Exception) -> str:
    """The state of a port that cannot be opened."""
    return _STATE.get(getattr(error, "errno", None) or 0, UNUSABLE)


def why_not(error: Exception, path: str) -> str:
    """Why it cannot be opened, and what a person can do; looks for who has it open."""
    state = state_of(error)
    if state == FORBIDDEN:
        return f"no permission: add the gateway's user to the group '{_group(path)}', and start it again"
    if state == BUSY:
        return f"{_holder(path)} has it open: close that (a terminal, mpremote, an IDE)"
    if state in _WHY:
        return _WHY[state]
    # pyserial passes this one on as a text only.
    if os.strerror(errno.ENOTTY) in str(error):
        return "it is no serial port: correct 'serial:' in the gateway's configuration"
    return str(getattr(error, "strerror", None) or error)


def why_lost(error: OSError) -> str:
    """Why an open port cannot be used any more."""
    return UNPLUGGED if state_of(error) == VANISHED else str(error.strerror or error)


def _is_port(path: str) -> bool:
    real = os.path.realpath(path)
    name = os.path.basename(real)
    try:
        if not stat.S_ISCHR(os.stat(real).st_mode):
            return False
    except OSError:
        return False
    if real.startswith("/dev/pts/"):
        return True
    return not _NO_PORTS.fullmatch(name) and (not os.path.isdir(_TTYS) or os.path.exists(f"{_TTYS}/{name}"))


def _group(path: str) -> str:
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"


def _holder(path: str) -> str:
    pids = holders.of_file(path)
    others = [pid for pid in pids if pid != os.getpid()]
    return "this gateway itself" if pids and not others else holders.who(others, "a program of another user")
