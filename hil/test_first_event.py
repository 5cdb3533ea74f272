"""The first things that anybody does: an event from the board, a command to it, and both again after a reset."""

from typing import Any

from hil.conftest import Listener
from hil.unix import UnixPort

PROGRAM = """
import asyncio
import eventhive

@eventhive.hook("dut/led")
def led(data):
    print("led", data["on"])
    eventhive.EVENTS.call("my-hive/tests/answer", {"on": data["on"]})

async def main():
    hello = {"text": "grüße", "number": 12345678901, "list": [1, None, True]}
    taken = await eventhive.send("my-hive/tests/hello", hello)
    print("acknowledged", taken)

eventhive.init()
asyncio.run(eventhive.run(main()))
"""
HELLO = {"text": "grüße", "number": 12345678901, "list": [1, None, True]}


def test_event_and_command(dut: UnixPort, listener: Listener, settings: dict[str, Any]) -> None:
    listener.hook("hello")
    listener.hook("answer")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", HELLO)
    dut.expect("^acknowledged True$")
    listener.call("dut/led", {"on": True})
    dut.expect("^led True$")
    assert listener.next() == ("answer", {"on": True})


def test_reset(dut: UnixPort, listener: Listener, settings: dict[str, Any]) -> None:
    listener.hook("hello")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", HELLO)
    dut.expect("^acknowledged True$")
    dut.reset()
    assert listener.next() == ("hello", HELLO)
    dut.expect("^acknowledged True$")
    listener.call("dut/led", {"on": False})
    dut.expect("^led False$")


def test_a_wrong_key(dut: UnixPort, listener: Listener, settings: dict[str, Any]) -> None:
    """A wrong key is refused, and a right one on the same board is taken: nothing of the refusal stays."""
    listener.hook("hello")
    dut.run(PROGRAM, {**settings, "key": "ab" * 32})
    dut.expect("^eventhive: .*refused")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", HELLO)
