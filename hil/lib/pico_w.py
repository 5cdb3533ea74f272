"""The emulator `rp2040py` with a radio that goes on sending: `python pico_w.py …` has its arguments.

The chip of the radio tells its driver with each frame up to which number it may send. That of rp2040py 0.3.6 counts one
further with each frame that it receives, too, in eight bits: at each 256th it arrives where the driver is, which waits
then for a frame that allows more, and sends nothing that would be answered by one.
"""

import sys
from typing import Any

from rp2040py.__main__ import main
from rp2040py.external.cyw43.bus import GSPIBus

# Frames that the driver may be ahead: it takes a step of at most 20 for no mistake (`sdpcm_process_rx_packet`).
WINDOW = 8

# Where the head of a frame of the driver has its number.
NUMBER_AT = 4


def counted(write: Any) -> Any:
    """Take each frame of the driver as where the counting begins."""

    def write_and_count(bus: GSPIBus, data: bytes) -> None:
        if len(data) > NUMBER_AT:
            bus._bus_data_credit = (data[NUMBER_AT] + WINDOW) & 0xFF
        write(bus, data)

    return write_and_count


if __name__ == "__main__":
    GSPIBus._write_wlan = counted(GSPIBus._write_wlan)
    sys.exit(main())
