# The program of the smallest heap: `one.py DEVICE` has one event acknowledged and prints {"acknowledged": 1}.
# (No docstring: what compiles this on a small heap would keep it.)

import asyncio
import sys

import eventhive


async def main():
    data = {"celsius": 21.5, "device": int(sys.argv[1]), "n": 1000000}
    sent = await eventhive.send("my-hive/queen/temperature", data, 2)
    print('{"acknowledged": %d}' % sent)
    eventhive.stop()


eventhive.init()
asyncio.run(eventhive.run(main()))
