"""What MicroPython has and CPython lacks, so that the same device code also runs where no MicroPython does.

The one place of the device package that looks at which interpreter it runs on.
"""

try:
    from asyncio import sleep_ms
    from sys import print_exception
    from time import ticks_diff, ticks_ms, ticks_us

    async def open_serial(path):
        """The (reader, writer) of the serial device at a path, in raw mode."""
        import termios
        from asyncio import StreamReader

        file = open(path, "r+b", 0)
        termios.setraw(file.fileno())
        # `read(n)` waits for all n bytes, with the whole interpreter, unless VMIN (6) is 0: then it takes what is there.
        attributes = termios.tcgetattr(file.fileno())
        attributes[6][6] = 0
        termios.tcsetattr(file.fileno(), termios.TCSANOW, attributes)
        stream = StreamReader(file)
        return stream, stream

    def queue(stream, data):
        """Have `drain` write the data; `write` would not ask the port first whether it can take any."""
        stream.out_buf += data

except ImportError:
    import asyncio
    import time
    import traceback

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


class Stopwatch:
    """Calling it gives the milliseconds since the last call; call it at least once in six days, as boards' ticks wrap."""

    def __init__(self):
        self._last = ticks_ms()

    def __call__(self):
        now = ticks_ms()
        elapsed = ticks_diff(now, self._last)
        self._last = now
        return elapsed
