"""A serial device at a path, on MicroPython's unix port; what a Linux board has in place of `uart` and `usb`."""

import asyncio

if hasattr(asyncio, "sleep_ms"):

    async def load(link):
        """The port at the path `device` of a link, in raw mode."""
        import termios

        file = open(link["device"], "r+b", 0)
        termios.setraw(file.fileno())
        # `read(n)` waits for all n bytes, with the whole interpreter, unless VMIN (6) is 0:
        # then it takes what is there.
        attributes = termios.tcgetattr(file.fileno())
        attributes[6][6] = 0
        termios.tcsetattr(file.fileno(), termios.TCSANOW, attributes)
        return Port(file)

    class Port(asyncio.StreamReader):
        """A stream whose `queue` leaves the writing to `drain`, which asks first whether the port can take any."""

        def queue(self, data):
            """Have `drain` write the data."""
            self.out_buf += data

else:
    from .port_cpython import open_serial as load
