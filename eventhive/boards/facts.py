"""What a board says of itself, and whether that will do for the device package."""

from dataclasses import dataclass
from typing import Any

from ..core.errors import LocalError

# Before 1.20 `asyncio` and `cryptolib` have other names, and compiled files another format.
OLDEST = (1, 20)
MPY_VERSION = 6

# What the device package imports and some builds leave out; any name of each tuple will do.
NEEDED = (("asyncio",), ("hashlib",), ("cryptolib", "ucryptolib"))
RADIO = "network"

# A full LittleFS counts a block or two more than there are, so what is free may be below nothing.
_SCRIPT = """
import sys, gc, os
gc.collect()
def has(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
i = sys.implementation
v = os.statvfs(os.getcwd())
print((i.name, tuple(i.version)[:3], getattr(i, '_machine', sys.platform), getattr(i, '_mpy', 0), gc.mem_free(),
    gc.mem_alloc(), v[0] * (v[3] if v[3] < v[2] else 0), [m for m in %r if has(m)]))
"""

# A program that prints it, as a literal of Python.
SCRIPT = _SCRIPT % ((RADIO, *(name for names in NEEDED for name in names)),)


@dataclass(frozen=True)
class Facts:
    """What a board says of itself: firmware and version, name of the board, format of compiled files, bytes free."""

    firmware: str
    version: tuple[int, ...]
    board: str
    mpy: int
    heap_free: int
    heap: int
    flash_free: int
    modules: tuple[str, ...]

    @property
    def radio(self) -> bool:
        """True where it can join a network."""
        return RADIO in self.modules

    @property
    def shown(self) -> str:
        """For a person."""
        version = ".".join(map(str, self.version))
        return f"{self.board}, {self.firmware} {version}, {self.heap_free // 1000} KB of heap free"

    def check(self, port: str) -> None:
        """`LocalError` says what this firmware lacks."""
        advice = "put a newer one on it: eventhive device flash PORT FIRMWARE"
        if self.firmware != "micropython":
            raise LocalError(f"{port}: the board runs {self.firmware}, which is not MicroPython: {advice}")
        if self.version[:2] < OLDEST:
            version = ".".join(map(str, self.version))
            raise LocalError(f"{port}: MicroPython {version} is too old, 1.20 is the oldest that will do: {advice}")
        if self.mpy & 0xFF != MPY_VERSION:
            raise LocalError(f"{port}: this MicroPython loads no compiled files of version {MPY_VERSION}: {advice}")
        for names in NEEDED:
            if not set(names) & set(self.modules):
                raise LocalError(f"{port}: this MicroPython has no '{names[0]}': {advice}")


def read(answer: Any) -> Facts:
    """The facts of what the program has printed."""
    name, version, board, mpy, free, used, flash, modules = answer
    return Facts(name, tuple(version), board, mpy, free, free + used, flash, tuple(modules))
