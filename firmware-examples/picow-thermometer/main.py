"""A Pico W that sends the temperature of its own chip, and obeys two commands.

    my-hive/queen/temperature   {"celsius": 21.5, "device": "sensor-1"}, every ten seconds
    sensor-1/period             {"seconds": 2}: measure more often, or less
    sensor-1/led                {"on": true}

The name of the device is its `id` in eventhive.json. Where there is no converter to read (MicroPython on a computer),
the temperature is made up, and the first line says so.
"""

import asyncio
import json

import eventhive

try:
    from machine import ADC, Pin
except ImportError:
    ADC = Pin = None

EVENT = "my-hive/queen/temperature"

# Input 4 of the converter is a temperature sensor: 0.706 V at 27 °C, 1.721 mV less per °C (RP2040 datasheet, 4.9.5).
SENSOR = 4
VOLTS = 3.3 / 65535

LONGEST_S = 3600

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]

period = 10
sensor = ADC(SENSOR) if ADC else None
led = Pin("LED", Pin.OUT) if Pin else None


def celsius():
    """The temperature of the chip, a few degrees above that of the room."""
    if not sensor:
        return 21.5
    return round(27 - (sensor.read_u16() * VOLTS - 0.706) / 0.001721, 1)


@eventhive.hook(ID + "/period")
def set_period(data):
    global period
    period = min(max(1, data["seconds"]), LONGEST_S)
    print(f"measuring every {period} s")


@eventhive.hook(ID + "/led")
def set_led(data):
    print("led on" if data["on"] else "led off")
    if led:
        led.value(1 if data["on"] else 0)


async def measure():
    while True:
        value = celsius()
        print(f"{value} °C")
        eventhive.EVENTS.call(EVENT, {"celsius": value, "device": ID})
        waited = 0
        while waited < period:
            await asyncio.sleep(1)
            waited += 1


print(f"{ID}:", "its own sensor" if sensor else "there is no sensor here, the temperature is made up")
eventhive.init(settings)
asyncio.run(eventhive.run(measure()))
