"""A few bytes that a worker and its supervisor share: how far it is, and the input it is at.

So the supervisor knows the input even where the worker hangs, or is killed.
"""

import mmap
import struct
from pathlib import Path

# No target asks for more.
MAX_INPUT = 64 * 1024

_HEAD = struct.Struct("=QI")


class Region:
    """The shared file at `path`; the supervisor makes it, the worker opens it."""

    def __init__(self, path: Path, make: bool = False):
        self.path = path
        if make:
            path.write_bytes(bytes(_HEAD.size + MAX_INPUT))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _HEAD.size + MAX_INPUT)

    def put(self, count: int, data: bytes) -> None:
        """The worker: input number `count` is this one."""
        size = len(data)
        _HEAD.pack_into(self._map, 0, count, size)
        self._map[_HEAD.size : _HEAD.size + size] = data

    @property
    def count(self) -> int:
        """How many inputs the worker has begun."""
        return int(_HEAD.unpack_from(self._map)[0])

    @property
    def data(self) -> bytes:
        """The input that it is at."""
        return self._map[_HEAD.size : _HEAD.size + int(_HEAD.unpack_from(self._map)[1])]
