"""A serial cable that is not there: two pseudo-terminals whose other ends are joined."""

import contextlib
import os
import pty
import selectors
import threading
import tty

# What a read takes at most; a frame of the link is shorter than half of it.
READ_BYTES = 4096


class Cable:
    """Joins two terminal devices, `ends[0]` and `ends[1]`, by their paths, until `close`.

    As on a real line, what the reader does not fetch in time is lost.
    """

    def __init__(self) -> None:
        pairs = [pty.openpty(), pty.openpty()]
        self._masters = [master for master, _ in pairs]
        # Held open, so that the line survives a program at its end that dies.
        self._slaves = [slave for _, slave in pairs]
        self.ends = [os.ttyname(slave) for slave in self._slaves]
        for slave in self._slaves:
            tty.setraw(slave)
        for master in self._masters:
            os.set_blocking(master, False)
        self._closing, self._close = os.pipe()
        self._thread = threading.Thread(target=self._relay, name="eventhive-cable", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unplug it: both devices are gone afterwards."""
        os.close(self._close)
        self._thread.join()
        for number in (self._closing, *self._masters, *self._slaves):
            os.close(number)

    def _relay(self) -> None:
        first, second = self._masters
        with selectors.DefaultSelector() as selector:
            selector.register(first, selectors.EVENT_READ, second)
            selector.register(second, selectors.EVENT_READ, first)
            selector.register(self._closing, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    _move(key.fd, key.data)


def _move(source: int, target: int) -> None:
    # It blocks where nobody reads at the far end and its buffer is full.
    with contextlib.suppress(BlockingIOError):
        os.write(target, os.read(source, READ_BYTES))
