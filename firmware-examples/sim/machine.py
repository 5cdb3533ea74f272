"""Stands in for a board's `machine` on the unix port of MicroPython: what a program does to the board becomes a line.

Inputs are files in the working directory, which a person writes: `sim.pin4` holds `0` or `1` (1 without the file, as
with a pull-up), `sim.adc4` what the converter reads (0 to 65535), `sim.uart` the path of the serial device of a UART.
"""

import sys

# What the sensor of an RP2040 gives at 27 °C.
ROOM = 14021


def content(name, otherwise):
    """What is in a file of this name; `otherwise` where there is none."""
    try:
        with open(name) as file:
            return file.read().strip()
    except OSError:
        return otherwise


def deepsleep(ms):
    """The board is off for so many milliseconds, and then starts anew: here, the program ends."""
    print("sim: deepsleep %d" % ms)
    sys.exit(0)


def reset():
    """The board starts anew: here, the program ends."""
    print("sim: reset")
    sys.exit(0)


class ADC:
    """An input of the converter."""

    def __init__(self, pin):
        self._name = "sim.adc%s" % getattr(pin, "number", pin)

    def read_u16(self):
        """What it reads."""
        return int(content(self._name, ROOM))


class Pin:
    """A pin: an input reads its file, an output says what it becomes."""

    IN, OUT, PULL_UP = 0, 1, 1

    def __init__(self, number, mode=IN, pull=None, value=None):
        self.number = number
        self._state = value or 0
        self._mode = mode

    def value(self, new=None):
        """Set it, or read it."""
        if new is None:
            return int(content("sim.pin%s" % self.number, 1)) if self._mode == Pin.IN else self._state
        self._state = new
        print("sim: pin %s is %d" % (self.number, new))
        return None


def UART(number, baudrate, rxbuf=256, tx=None, rx=None):  # noqa: N802 - the board's name
    """The serial device whose path is in `sim.uart`, in raw mode."""
    import termios

    file = open(content("sim.uart", "/dev/tty"), "r+b", 0)  # noqa: SIM115 - it is what the caller gets
    termios.setraw(file.fileno())
    # VMIN (6) of 0: a read takes what is there, as that of a board does.
    attributes = termios.tcgetattr(file.fileno())
    attributes[6][6] = 0
    termios.tcsetattr(file.fileno(), termios.TCSANOW, attributes)
    return file
