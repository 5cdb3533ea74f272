"""Sealing and opening on MicroPython: 70 bytes at a time.

{"runs": n} is answered with {"seal_us": [...], "open_us": [...]}, the mean of each run but the first, which warms up.
"""

import json
import sys
import time

# Staging merges modules: the first argument says where this one is.
__import__(sys.argv[1])
Sealed = sys.modules[sys.argv[1]].Sealed

PLAIN = b'[2,"my-hive/queen/temperature",{"celsius":21.5,"device":10,"n":100000}]'[:70]
# Of one run: a board has no more at hand, and a heap full of them would be measured as well.
RECORDS = 100
KEY = bytes(range(32))


def seal(sealed, count):
    start = time.ticks_us()
    records = [sealed.seal(PLAIN) for _ in range(count)]
    return records, time.ticks_diff(time.ticks_us(), start) / count


def open_all(sealed, records):
    start = time.ticks_us()
    for record in records:
        plain = sealed.open(record)
    took = time.ticks_diff(time.ticks_us(), start) / len(records)
    assert plain == PLAIN
    return took


def main(runs):
    sender, receiver = Sealed(KEY), Sealed(KEY)
    seals, opens = [], []
    for _ in range(runs):
        records, took = seal(sender, RECORDS)
        seals.append(took)
        opens.append(open_all(receiver, records))
    print(json.dumps({"seal_us": seals[1:], "open_us": opens[1:]}))


main(json.loads(sys.stdin.readline())["runs"])
