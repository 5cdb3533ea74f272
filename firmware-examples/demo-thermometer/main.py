"""A device of `eventhive demo`: a thermometer with made-up values, whose unit a command switches.

Runs on MicroPython and, where there is none, on CPython. Each event carries a number, so that whoever receives them can
tell whether one is missing; the last one says how many there were. An argument, where there is one, is the number of
this start: after a crash the numbers begin again.
"""

import asyncio
import json
import sys

import eventhive

CHANNEL = "my-hive/demo/"
PERIOD_S = 0.5

# A demo that was killed cannot say goodbye; its devices must not stay behind.
ALONE_S = 8

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]
START = int(sys.argv[1]) if len(sys.argv) > 1 else 1

finished = False
number = 0
unit = "celsius"


def count(values):
    """The data of the next event: the values, and which event of which device it is."""
    global number
    number += 1
    values.update({"device": ID, "start": START, "n": number})
    return values


def reading():
    """A temperature that rises and falls between 20 and 25 °C."""
    celsius = 20 + abs(number % 40 - 20) / 4
    return {unit: celsius if unit == "celsius" else round(celsius * 1.8 + 32, 2)}


@eventhive.hook(ID + "/unit")
def switch(data):
    global unit
    unit = "fahrenheit" if data["unit"] == "fahrenheit" else "celsius"
    values = reading()
    values["command"] = data["command"]
    eventhive.EVENTS.call(CHANNEL + "temperature", count(values))


@eventhive.hook(ID + "/finish")
def finish(data):
    global finished
    finished = True


async def measure():
    """Send readings until the demo ends, then how many events there were."""
    system = sys.implementation
    version = ".".join([str(part) for part in system.version[:3]])
    started = {"interpreter": system.name, "version": version}
    eventhive.EVENTS.call(CHANNEL + "started", count(started))
    alone = 0
    while not finished and alone < ALONE_S:
        alone = 0 if node.session else alone + PERIOD_S
        eventhive.EVENTS.call(CHANNEL + "temperature", count(reading()))
        await asyncio.sleep(PERIOD_S)
    if finished:
        await eventhive.send(CHANNEL + "finished", count({"sent": number + 1}), 3)
    eventhive.stop()


node = eventhive.init(settings)
asyncio.run(eventhive.run(measure()))
