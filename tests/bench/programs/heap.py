"""What the heap of MicroPython holds: `heap.py NUMBER` prints {"kept", "running"}, in bytes.

Both are counted from what a network program has anyway. kept: by `import eventhive` and `init()`; running: after the
first event was acknowledged, which carries the number.
"""

import asyncio
import gc
import json
import socket  # noqa: F401
import ssl  # noqa: F401
import sys

# asyncio loads a part of itself when a name of it is first used.
for name in ("open_connection", "StreamReader", "Event", "Lock", "wait_for"):
    getattr(asyncio, name)


def allocated():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


before = allocated()

import eventhive  # noqa: E402

eventhive.init()
kept = allocated() - before


async def main():
    acknowledged = await eventhive.send(
        "my-hive/queen/temperature", {"celsius": 21.5, "device": 11, "n": int(sys.argv[1])}
    )
    print(json.dumps({"kept": kept, "running": allocated() - before, "acknowledged": int(acknowledged)}))
    eventhive.stop()


asyncio.run(eventhive.run(main()))
