"""Stands in for the module `time` of a board whose epoch is the year 2000, and whose seconds are integers."""

import utime
from utime import *  # noqa: F403 - all of it, but for what follows

# Seconds from 1970 to 2000.
EPOCH = 946684800


def time():
    """Seconds since 2000."""
    return int(utime.time()) - EPOCH


def gmtime(seconds=None):
    """The date of seconds since 2000; of now without."""
    return utime.gmtime((time() if seconds is None else seconds) + EPOCH)


localtime = gmtime


def mktime(date):
    """Seconds since 2000 of a date."""
    return utime.mktime(date) - EPOCH
