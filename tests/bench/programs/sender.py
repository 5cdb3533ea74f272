"""A device that sends what it is told to; runs on MicroPython and CPython, in the staged tree.

{"send": n, "first": k, "device": d} has it send n events, each after the one before was acknowledged, or with
{"backlog": true} all at once; then it answers {"acknowledged", "allocated"}: how many were, and the bytes of heap in
use after a collection (None on CPython). Their data is {"celsius": 21.5, "device": d, "n": k and on}: 40 bytes of JSON
with a device of two digits and a number of seven. {"number": n} sets the number of the next event. It ends with its
input.
"""

import asyncio
import gc
import json
import sys

import eventhive

EVENT = "my-hive/queen/temperature"


def allocated():
    if not hasattr(gc, "mem_alloc"):
        return None
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


async def one_by_one(count, first, device):
    acknowledged = 0
    for number in range(first, first + count):
        if await eventhive.send(EVENT, {"celsius": 21.5, "device": device, "n": number}):
            acknowledged += 1
    return acknowledged


async def at_once(count, first, device):
    last = first + count - 1
    for number in range(first, last):
        if not eventhive.EVENTS.call(EVENT, {"celsius": 21.5, "device": device, "n": number}):
            raise ValueError("the outbox is too small for event %d" % number)
    return count if await eventhive.send(EVENT, {"celsius": 21.5, "device": device, "n": last}) else 0


async def obey(question):
    if "number" in question:
        eventhive.node.outbox.next = question["number"]
    way = at_once if question.get("backlog") else one_by_one
    return await way(question["send"], question["first"], question["device"])


async def main():
    # Reading blocks the link as well; nothing is under way then.
    line = sys.stdin.readline()
    while line:
        acknowledged = await obey(json.loads(line))
        # The same objects are alive whenever the heap is looked at.
        line = None
        print(json.dumps({"acknowledged": acknowledged, "allocated": allocated()}))
        line = sys.stdin.readline()
    eventhive.stop()


eventhive.init()
asyncio.run(eventhive.run(main()))
