"""The keys of an entry under `gateway: serial:`: which ports it means, and how they are opened."""

import re
from dataclasses import dataclass

from .section import Section

BAUDRATE = 115200
MAX_BAUDRATE = 4_000_000

_KEYS = ("port", "usb", "serial_number", "baudrate", "dtr", "rts", "reset_on_open")
_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SerialPort:
    """Serial ports with devices at their other ends: by `port`, a path or a glob, or by what is plugged in over USB.

    `usb` is "vid:pid" in small letters, `serial_number` that of the USB device; both empty where `port` is not.
    """

    port: str
    baudrate: int = BAUDRATE
    usb: str = ""
    serial_number: str = ""
    # Both asserted: a Pico's USB throws away what it prints while DTR is not, and the circuit of an ESP32 board resets
    # it while the two differ.
    dtr: bool = True
    rts: bool = True
    reset_on_open: bool = False

    @property
    def name(self) -> str:
        """What it is called in logs, and by commands."""
        return self.port or " ".join(filter(None, ("usb", self.usb, self.serial_number)))

    @property
    def exact(self) -> bool:
        """True for one path, whether or not it is there."""
        return bool(self.port) and not _WILD.search(self.port)

    @property
    def rank(self) -> int:
        """Of two entries that mean a port, the one with the lower rank has it."""
        return 0 if self.exact else 1 if self.serial_number else 2 if self.usb else 3


def serial_of(gateway: Section) -> tuple[SerialPort, ...]:
    """All entries."""
    found: list[SerialPort] = []
    for section in gateway.items("serial", _KEYS):
        entry = _entry(section)
        if entry.name in [one.name for one in found]:
            raise section.error("", f"{entry.name} is there twice")
        found.append(entry)
    return tuple(found)


def _entry(section: Section) -> SerialPort:
    usb, number = section.text("usb", "").lower(), section.text("serial_number", "")
    port = section.text("port", "") if usb or number else section.text("port")
    if port and (usb or number):
        raise section.error("port", "a port has a path, or 'usb' and 'serial_number', not both")
    if "://" in port:
        raise section.error("port", "a port of this machine is needed, not an address")
    if not port and not usb and not number:
        raise section.error("port", "a path is needed, such as /dev/ttyACM0")
    if usb and not _USB.fullmatch(usb):
        raise section.error("usb", f"vendor and product are needed, such as 2e8a:0005, not '{usb}'")
    return SerialPort(
        port,
        section.integer("baudrate", BAUDRATE, 1, MAX_BAUDRATE),
        usb,
        number,
        section.boolean("dtr", True),
        section.boolean("rts", True),
        section.boolean("reset_on_open", False),
    )
