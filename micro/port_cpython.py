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


async def open_serial(path):
    """The (reader, writer) of the serial device at a path, in raw mode."""
    import tty

    file = open(path, "r+b", 0)
    tty.setraw(file.fileno())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, open(path, "wb", 0))
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


def queue(stream, data):
    """Have `drain` write the data."""
    stream.write(data)
