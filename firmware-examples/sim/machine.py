"""Stands in for a board's `machine` on the unix port of MicroPython: what is done to the board becomes a line."""

import sys


def deepsleep(ms):
    """The board is off for so many milliseconds, and then starts anew: here, the program ends."""
    print("sim: deepsleep %d" % ms)
    sys.exit(0)


def reset():
    """The board starts anew: here, the program ends."""
    print("sim: reset")
    sys.exit(0)


class Pin:
    """A pin that exists."""

    IN = OUT = PULL_UP = 0

    def __init__(self, number, *options, **settings):
        self.number = number


def UART(number, baudrate, rxbuf=256, tx=None, rx=None):  # noqa: N802 - the board's name
    """The serial device whose path is in the file `sim.uart` in the working directory, in raw mode."""
    import termios

    with open("sim.uart") as file:
        path = file.read().strip()
    file = open(path, "r+b", 0)  # noqa: SIM115 - it is what the caller gets
    termios.setraw(file.fileno())
    # VMIN (6) of 0: a read takes what is there, as that of a board does.
    attributes = termios.tcgetattr(file.fileno())
    attributes[6][6] = 0
    termios.tcsetattr(file.fileno(), termios.TCSANOW, attributes)
    return file
