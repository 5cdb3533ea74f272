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
