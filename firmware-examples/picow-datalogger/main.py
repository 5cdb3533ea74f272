"""A Pico W that measures once a second, and loses nothing in an outage: what finds no room in memory goes to flash.

    my-hive/queen/sample      {"n": 17, "celsius": 21.5, "device": "logger-1"}, once a second
    my-hive/queen/latest      the same; only the newest of these waits in an outage
    logger-1/outage           a request: returns how many samples wait, in memory and on flash

The name of the device is its `id` in eventhive.json.
"""

import asyncio
import json

from machine import ADC

import eventhive

SAMPLE, LATEST = "my-hive/queen/sample", "my-hive/queen/latest"
PERIOD_MS = 1000

# Input 4 of the converter is a temperature sensor: 0.706 V at 27 °C, 1.721 mV less per °C (RP2040 datasheet, 4.9.5).
SENSOR = 4
VOLTS = 3.3 / 65535

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]

sensor = ADC(SENSOR)


async def measure(node):
    n = 0
    while True:
        n += 1
        celsius = round(27 - (sensor.read_u16() * VOLTS - 0.706) / 0.001721, 1)
        for event in (SAMPLE, LATEST):
            eventhive.EVENTS.call(event, {"n": n, "celsius": celsius, "device": ID})
        if n % 10 == 0:
            print(f"sample {n}: {len(node.outbox.entries)} wait in memory, {node.spill.waiting} on flash")
        await asyncio.sleep_ms(PERIOD_MS)


print(ID + ": one sample a second")
node = eventhive.init(settings)
eventhive.keep(LATEST, "latest")


@eventhive.hook(ID + "/outage")
def outage(data):
    return {"memory": len(node.outbox.entries), "flash": node.spill.waiting}


asyncio.run(eventhive.run(measure(node)))
