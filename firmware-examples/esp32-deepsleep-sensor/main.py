"""An ESP32 on a battery: it wakes, measures, sends, waits until that is acknowledged, and sleeps.

    my-hive/queen/level       {"level": 0.43, "device": "well-1"}, every ten minutes
    well-1/period             {"seconds": 60}: sleep for so long, from now on; a command waits until the board is awake

What nobody acknowledged goes to flash, and is sent after a later wake. The name of the device is its `id` in
eventhive.json.
"""

import asyncio
import json

from machine import ADC, Pin

import eventhive

EVENT = "my-hive/queen/level"
PERIOD_S = 600
LONGEST_S = 86400

# Input only, and free while the radio is on.
SENSOR = 34

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]


def period():
    """Seconds to sleep; a deep sleep forgets everything but flash."""
    try:
        with open("period") as file:
            return int(file.read())
    except (OSError, ValueError):
        return PERIOD_S


@eventhive.hook(ID + "/period")
def set_period(data):
    seconds = min(max(5, int(data["seconds"])), LONGEST_S)
    with open("period", "w") as file:
        file.write(str(seconds))
    print(f"sleeps {seconds} s from now on")


async def main():
    level = round(ADC(Pin(SENSOR)).read_u16() / 65535, 2)
    print(f"level {level}")
    await eventhive.send(EVENT, {"level": level, "device": ID}, 20)
    # Commands that waited come right behind the acknowledgement.
    await asyncio.sleep_ms(200)
    await eventhive.sleep(period() * 1000, 1)


eventhive.init(settings)
asyncio.run(eventhive.run(main()))
