"""The USB port of a board, shared with its REPL and with what programs print: `{"type": "usb"}`.

Rules of this file (MicroPython 1.20 to 1.29):
1. `read(n)` of the port waits for all n bytes, with the whole interpreter, so it is read byte by byte, as long as the
   port says that there is one.
2. A write that the host does not read holds up the board for half a second; so the port is asked first, and given
   little at a time. Without a host, nothing is written, and nothing waits.
3. Ctrl-C (0x03) is in no frame: it still interrupts the program.
"""

import select
import sys

from .port import sleep_ms

# What the port's ring has room for when it says that it has any: one packet of full-speed USB.
PIECE_BYTES = 64
# How often a port that takes nothing, or gives nothing, is asked again: at 115,200 baud these are some 50 bytes.
ASK_MS = 5


async def load(link):
    """The port that the REPL is on."""
    return Port(sys.stdin, sys.stdout)


class Port:
    """Bytes of the port; `queue` leaves the writing to `drain`."""

    def __init__(self, reads, writes):
        self._reads = getattr(reads, "buffer", reads)
        self._writes = getattr(writes, "buffer", writes)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(reads, select.POLLIN)
        self._writable.register(writes, select.POLLOUT)
        self._waiting = b""

    async def read(self, size):
        """What is there, up to so many bytes; waits for the first. Nothing where the port is gone."""
        while not self._readable.poll(0):
            await sleep_ms(ASK_MS)
        data, one = b"", bytearray(1)
        while len(data) < size and self._readable.poll(0):
            if not self._reads.readinto(one):
                break
            data += one
        return data

    def queue(self, data):
        """Have `drain` write the data."""
        self._waiting += data

    async def drain(self):
        """Write what was queued, as fast as the host takes it."""
        while self._waiting:
            piece, self._waiting = self._waiting[:PIECE_BYTES], self._waiting[PIECE_BYTES:]
            while not self._writable.poll(0):
                await sleep_ms(ASK_MS)
            self._writes.write(piece)
