"""Time: the gateway tells it, whatever a board's clock and its epoch are."""

import time
from typing import Any

from hil.lib.hub import Listener
from hil.targets.base import Target

PROGRAM = """
import asyncio
import time
import eventhive

@eventhive.hook("dut/time")
def now(data):
    return [eventhive.time_ms, time.gmtime(0)[0], time.time()]

async def main():
    print("before", eventhive.time_ms)
    await eventhive.send("my-hive/tests/hello", None, 600)
    print("after", eventhive.time_ms)

eventhive.init()
asyncio.run(eventhive.run(main()))
"""


def test_time(dut: Target, listener: Listener, settings: dict[str, Any]) -> None:
    listener.hook("hello")
    began = time.time()
    dut.run(PROGRAM, settings)
    dut.console.expect("before 0$")
    dut.console.expect(r"after \d{13}$")
    time_ms, epoch, _ = listener.request("time")
    ended = time.time()
    # A board counts on with its own ticks between the welcome and the question.
    assert began - 1 <= time_ms / 1000 <= ended + 1
    assert epoch == dut.epoch
