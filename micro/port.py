"""What MicroPython has and CPython lacks, so that the same device code also runs where no MicroPython does.

The one place of the device package that looks at which interpreter it runs on.
"""

import asyncio
import sys
import time

if hasattr(time, "ticks_ms"):
    sleep_ms = asyncio.sleep_ms
    print_exception = sys.print_exception
    ticks_diff = time.ticks_diff
    ticks_ms = time.ticks_ms
    ticks_us = time.ticks_us
else:
    from .port_cpython import print_exception, sleep_ms, ticks_diff, ticks_ms, ticks_us
