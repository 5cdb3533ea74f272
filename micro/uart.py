"""A UART of a board: `{"type": "uart", "id": 1, "tx": 4, "rx": 5, "baudrate": 115200}`."""

import asyncio

from machine import UART, Pin

# A line of the gateway is as long as the limit allows, some 700 characters, and comes while a hook may be busy.
RECEIVE_BYTES = 1024
BAUDRATE = 115200


async def load(link):
    """The port; pins that are not given are the board's own choice for this UART."""
    pins = {key: Pin(link[key]) for key in ("tx", "rx") if key in link}
    return Port(UART(link["id"], link.get("baudrate", BAUDRATE), rxbuf=RECEIVE_BYTES, **pins))


class Port(asyncio.StreamReader):
    """A stream whose `queue` leaves the writing to `drain`, which waits where the UART cannot take any."""

    def queue(self, data):
        """Have `drain` write the data."""
        self.out_buf += data
