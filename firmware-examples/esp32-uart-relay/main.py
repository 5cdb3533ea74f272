"""An ESP32 that switches relays, wired to a Linux board by a UART: no radio, no USB.

    relay-1/switch            {"relay": 0, "on": true}; as a request, it returns what all of them are
    my-hive/queen/relays      {"relays": [1, 0], "device": "relay-1"}, at each change and at the start

The name of the device is its `id` in eventhive.json.
"""

import asyncio
import json

from machine import Pin

import eventhive

EVENT = "my-hive/queen/relays"
PINS = (25, 26)

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]

# Off before anything else: a board that restarts switches nothing on.
relays = [Pin(number, Pin.OUT, value=0) for number in PINS]


def tell():
    states = [relay.value() for relay in relays]
    eventhive.EVENTS.call(EVENT, {"relays": states, "device": ID})
    return states


@eventhive.hook(ID + "/switch")
def switch(data):
    relays[data["relay"]].value(1 if data["on"] else 0)
    print("relay", data["relay"], "on" if data["on"] else "off")
    return tell()


async def main():
    tell()
    while True:
        await asyncio.sleep(3600)


print(ID + ": over the UART")
eventhive.init(settings)
asyncio.run(eventhive.run(main()))
