"""A Pico without Wi-Fi, on a USB cable: events go over the port that its REPL and its prints are on.

    my-hive/queen/temperature   {"celsius": 21.5, "device": "pico-1"}, every five seconds
    pico-1/led                  {"on": true}

What it prints becomes lines in the gateway's log. The name of the device is its `id` in eventhive.json.
"""

import asyncio
import json

from machine import ADC, Pin

import eventhive

EVENT = "my-hive/queen/temperature"
PERIOD_S = 5

# Input 4 of the converter is a temperature sensor: 0.706 V at 27 °C, 1.721 mV less per °C (RP2040 datasheet, 4.9.5).
SENSOR = 4
VOLTS = 3.3 / 65535

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]

sensor = ADC(SENSOR)
led = Pin("LED", Pin.OUT)


@eventhive.hook(ID + "/led")
def set_led(data):
    led.value(1 if data["on"] else 0)
    print("led on" if data["on"] else "led off")


async def measure():
    while True:
        celsius = round(27 - (sensor.read_u16() * VOLTS - 0.706) / 0.001721, 1)
        print(f"{celsius} °C")
        eventhive.EVENTS.call(EVENT, {"celsius": celsius, "device": ID})
        await asyncio.sleep(PERIOD_S)


print(ID + ": over the port of the REPL")
eventhive.init(settings)
asyncio.run(eventhive.run(measure()))
