"""The stand-ins of `port.py` and `serial.py` for CPython; no board loads this."""

import asyncio
import time
import traceback


def sleep_ms(milliseconds):
    """A coroutine that ends after so many milliseconds."""
    return asyncio.sleep(milliseconds / 1000)


def print_exception(error):
    """Print an exception and where it came from."""
    traceback.print_exception(error)


def ticks_ms():
    """Milliseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1000000


def ticks_us():
    """Microseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1000


def ticks_diff(later, earlier):
    """How much later one reading of a clock is than another."""
    return later - earlier


async def open_serial(link):
    """The port at the path `device` of a link, in raw mode."""
    import tty

    path = link["device"]
    file = open(path, "r+b", 0)
    tty.setraw(file.fileno())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, open(path, "wb", 0))
    return Port(reader, asyncio.StreamWriter(transport, protocol, None, loop))


class Port:
    """As that of `serial.py`."""

    def __init__(self, reader, writer):
        self.read, self.queue, self.drain = reader.read, writer.write, writer.drain
