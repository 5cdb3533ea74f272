"""The first things that anybody does: an event from the board, a command, requests, and all again after a reset."""

from typing import Any

from hil.lib.hub import Listener
from hil.targets.base import Target

PROGRAM = """
import asyncio
import eventhive

@eventhive.hook("dut/led")
def led(data):
    print("led", data["on"])
    eventhive.EVENTS.call("my-hive/tests/answer", {"on": data["on"]})
    return {"on": data["on"]}

@eventhive.hook("dut/ask")
def ask(data):
    asyncio.create_task(asking(data))

async def asking(data):
    print("answer", await eventhive.request_async("my-hive/tests/square", data, 60))

async def main():
    hello = {"text": "grüße", "number": 12345678901, "list": [1, None, True]}
    taken = await eventhive.send("my-hive/tests/hello", hello, 600)
    print("acknowledged", taken)

eventhive.init()
asyncio.run(eventhive.run(main()))
"""
HELLO = {"text": "grüße", "number": 12345678901, "list": [1, None, True]}


def test_event_and_command(dut: Target, listener: Listener, settings: dict[str, Any]) -> None:
    listener.hook("hello", "answer")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", HELLO)
    dut.console.expect("acknowledged True$")
    listener.call("led", {"on": True})
    dut.console.expect("led True$")
    assert listener.next() == ("answer", {"on": True})


def test_requests(dut: Target, listener: Listener, settings: dict[str, Any]) -> None:
    """The hive asks the board, and the board asks the hive."""
    listener.hook("answer")
    listener.answer("square", lambda data: data * data)
    dut.run(PROGRAM, settings)
    dut.console.expect("acknowledged True$")
    assert listener.request("led", {"on": 7}) == {"on": 7}
    assert listener.next() == ("answer", {"on": 7})
    listener.call("ask", 12)
    dut.console.expect("answer 144$")


def test_reset(dut: Target, listener: Listener, settings: dict[str, Any]) -> None:
    listener.hook("hello")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", HELLO)
    dut.console.expect("acknowledged True$")
    dut.reset()
    assert listener.next() == ("hello", HELLO)
    dut.console.expect("acknowledged True$")
    listener.call("led", {"on": False})
    dut.console.expect("led False$")
