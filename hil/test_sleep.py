"""A board that sleeps: what it had to say arrives before, and what it is told waits for it."""

import pytest

from hil.lib.hub import Gateway, Listener
from hil.targets.base import Target

PROGRAM = """
import asyncio
import eventhive

@eventhive.hook("dut/told")
def told(data):
    print("told", data)
    asyncio.create_task(eventhive.sleep(3000))

eventhive.init()
eventhive.EVENTS.call("my-hive/tests/awake", None)
asyncio.run(eventhive.run())
"""

pytestmark = [pytest.mark.network, pytest.mark.sleep]


def test_sleep_and_wake(dut: Target, listener: Listener, gateway: Gateway) -> None:
    listener.hook("awake")
    dut.run(PROGRAM, gateway.enrol("websocket"))
    for count in (1, 2):
        assert listener.next() == ("awake", None)
        listener.call("told", count)
        dut.console.expect(f"told {count}$")
        gateway.expect("device dut: offline: the other end said goodbye: asleep", count)
        assert 0 <= gateway.status()["wakes_in_s"] <= 3
        listener.call("told", count + 1)
        dut.wake()
    dut.console.expect("told 3$")
