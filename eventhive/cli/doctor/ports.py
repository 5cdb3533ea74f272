"""The serial ports of the configuration: there, allowed, and free. None is opened: that would restart some boards."""

import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ... import holders
from ...gateway.port_file import LENT, OPEN, meant_by
from .files import group, user
from .finding import Finding, note, ok, problem, warning
from .subject import Subject

if TYPE_CHECKING:
    from ...serial_config import SerialPort

# Writes to each new serial port, to see whether it is a modem.
PROBER = "ModemManager"

SHOW = "'eventhive device ports' shows what there is"


def check(subject: Subject) -> Iterator[Finding]:
    """As the gateway that runs has them, else as this process sees them."""
    if not subject.gateway.serial:
        yield ok("no serial port is configured")
        return
    told = subject.running.ports if subject.running is not None else []
    for entry in subject.gateway.serial:
        rows = [one for one in told if one["entry"] == entry.name]
        for row in rows:
            yield from _told(entry, row)
        if not rows:
            yield from _not_told(entry)
    if holders.called(PROBER):
        what = f"{PROBER} runs: it writes to each new serial port, which a board takes for typing"
        yield warning(what, f"systemctl disable --now {PROBER}, or set ID_MM_DEVICE_IGNORE by a udev rule")


def _not_told(entry: "SerialPort") -> Iterator[Finding]:
    paths = meant_by(entry)
    for path in paths:
        yield from _seen(path)
    if not paths:
        yield problem(f"{entry.name}: nothing that is plugged in matches", f"plug the board in, or correct it; {SHOW}")


def _told(entry: "SerialPort", one: dict[str, Any]) -> Iterator[Finding]:
    port, state = one["port"], str(one["state"])
    if state == OPEN:
        yield ok(f"{port}: the gateway has it open")
    elif state == LENT:
        yield note(f"{port}: the gateway has {LENT} it", "it comes back when that command has ended, or in its time")
    elif entry.exact or os.path.exists(port):
        yield from _seen(port, str(one["why"]))
    else:
        yield problem(f"{port}: the gateway waits for it: {one['why']}", f"plug the board in; {SHOW}")


def _seen(port: str, state: str = "") -> Iterator[Finding]:
    """What this process sees of a port; `state` is what the gateway says of it, where that has not got it."""
    waits = f"{port}: the gateway waits for it: {state}" if state else ""
    try:
        found = os.stat(port)
    except OSError as error:
        what = f"{port}: {error.strerror}"
        yield problem(what, f"plug the board in, or correct 'serial:'; {SHOW}")
        return
    if not stat.S_ISCHR(found.st_mode):
        yield problem(f"{port}: it is no serial port", f"correct 'serial:'; {SHOW}")
        return
    busy = holders.of_file(port)
    if waits:
        who = f" ({holders.who(busy)} has it open)" if busy else ""
        yield problem(waits + who, "do what it says; the gateway tries again by itself")
    elif not os.access(port, os.R_OK | os.W_OK):
        owner, account = group(found.st_gid), user(os.geteuid())
        todo = f"sudo usermod -aG {owner} {account}, and log in again; a service needs SupplementaryGroups={owner}"
        yield problem(f"{port}: {account} may not open it: it belongs to the group {owner}", todo)
    elif busy:
        todo = "close that program (a terminal, mpremote, an IDE)"
        yield problem(f"{port}: {holders.who(busy)} has it open", todo)
    else:
        yield ok(f"{port}: it is there, and free")
        if not os.path.realpath(port).startswith("/dev/pts/") and port.startswith(("/dev/ttyUSB", "/dev/ttyACM")):
            yield note(f"{port}: its number may be another one after a restart", "use its name in /dev/serial/by-id/")
