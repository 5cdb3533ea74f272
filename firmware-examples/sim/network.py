"""Stands in for a board's `network` on the unix port of MicroPython: a radio whose network is there or not.

A file `sim.wifi` in the working directory says what a person would see at the access point: `off` (no such network),
`wrong` (it wants another password), `deaf` (joined, and nothing passes); without the file, all is well. What a program
does to the radio becomes a line.
"""

STA_IF = 0
STAT_WRONG_PASSWORD = -3
STAT_NO_AP_FOUND = -2
STAT_GOT_IP = 3


def state():
    """What the file says."""
    try:
        with open("sim.wifi") as file:
            return file.read().strip()
    except OSError:
        return ""


class WLAN:
    """One radio, as all of them are."""

    PM_NONE = 0
    _on = _joined = False

    def __init__(self, interface):
        pass

    def active(self, on=None):
        """Switch it on or off, or ask whether it is on."""
        if on is not None and on != WLAN._on:
            print("sim: radio %s" % ("on" if on else "off"))
            WLAN._on = on
            WLAN._joined = WLAN._joined and on
        return WLAN._on

    def config(self, **settings):
        """Settings of the radio change nothing here."""

    def connect(self, name, password=None):
        """Join a network."""
        print("sim: joins %s" % name)
        WLAN._joined = WLAN._on and state() not in ("off", "wrong")

    def disconnect(self):
        """Leave it."""
        print("sim: leaves")
        WLAN._joined = False

    def isconnected(self):
        """True with an address."""
        return WLAN._joined and state() not in ("off", "wrong")

    def status(self):
        """Why there is none."""
        return {"off": STAT_NO_AP_FOUND, "wrong": STAT_WRONG_PASSWORD}.get(state(), STAT_GOT_IP)

    def ifconfig(self):
        """Address, mask, gateway, name server."""
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")
