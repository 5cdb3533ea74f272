"""An ESP32 with its button and its LED: an event out, a command in, a question answered.

    my-hive/queen/button      {"pressed": true, "device": "button-1"}, at each change
    button-1/led              {"on": true}
    button-1/state            a request: returns {"pressed": false, "led": true}

The name of the device is its `id` in eventhive.json.
"""

import asyncio
import json

from machine import Pin

import eventhive

# The BOOT button of a DevKit, which connects its pin to ground, and the LED that most boards have.
BUTTON, LED = 0, 2

# A contact bounces for some milliseconds; a finger takes longer.
LOOK_MS = 20

with open("eventhive.json") as file:
    settings = json.load(file)
ID = settings["id"]

button = Pin(BUTTON, Pin.IN, Pin.PULL_UP)
led = Pin(LED, Pin.OUT)


def pressed():
    return button.value() == 0


@eventhive.hook(ID + "/led")
def set_led(data):
    led.value(1 if data["on"] else 0)
    print("led on" if data["on"] else "led off")


@eventhive.hook(ID + "/state")
def state(data):
    return {"pressed": pressed(), "led": led.value() == 1}


async def watch():
    before = False
    while True:
        now = pressed()
        if now != before:
            before = now
            print("pressed" if now else "released")
            eventhive.EVENTS.call("my-hive/queen/button", {"pressed": now, "device": ID})
        await asyncio.sleep_ms(LOOK_MS)


print(ID + ": press the button")
eventhive.init(settings)
asyncio.run(eventhive.run(watch()))
