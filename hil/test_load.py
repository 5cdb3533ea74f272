"""Many events: each arrives once and in order, and memory does not get less. How fast is said, and not judged.

What a board needs for them is told in its own time: an emulated one is slower than its clock says, and none has the
computer's.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from hil.lib.hub import Listener
from hil.targets.base import SLOW_EVENTS, Target

Figure = Callable[[str, object], None]

# The free heap is measured after a collection, every so many events: before each it would be what is measured.
PROGRAM = """
import asyncio
import gc
import time
import eventhive

EVERY = 50
WAITING = 20

@eventhive.hook("dut/send")
def send(data):
    asyncio.create_task(sending(data))

@eventhive.hook("dut/echo")
def echo(data):
    return data

async def sending(count):
    low = None
    began = time.ticks_ms()
    for number in range(count):
        while eventhive.outbox.next - eventhive.outbox.acked > WAITING:
            await asyncio.sleep(0)
        eventhive.call("my-hive/tests/number", number)
        if number % EVERY == EVERY - 1:
            gc.collect()
            free = gc.mem_free()
            low = free if low is None else min(low, free)
            if number == EVERY * 2 - 1:
                first = free
    while eventhive.outbox.acked < eventhive.outbox.next - 1:
        await asyncio.sleep(0)
    print("acknowledged", time.ticks_diff(time.ticks_ms(), began), low, first)

eventhive.init()
eventhive.call("my-hive/tests/ready", None)
asyncio.run(eventhive.run())
"""

# Round trips for one figure.
PINGS = 200

# A serial line carries one frame at a time, and says as much in a fifth of the events, but never in less than those of
# a slow target.
SERIAL_SHARE = 5

# What the free heap may differ by between two collections: what happens to wait at that moment, and no more.
DRIFT_BYTES = 8 * 1024


def test_many_events(dut: Target, listener: Listener, settings: dict[str, Any], figure: Figure) -> None:
    listener.hook("ready", "number")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("ready", None)
    serial = settings["link"]["type"] != "websocket"
    count = max(dut.events // SERIAL_SHARE, SLOW_EVENTS) if serial else dut.events
    began = time.monotonic()
    listener.call("send", count)
    assert [listener.next()[1] for _ in range(count)] == list(range(count))
    seconds = time.monotonic() - began
    board_ms, low, first = map(int, dut.console.expect(r"acknowledged (\d+) (\d+) (\d+)$").groups())
    figure("events per second", round(count / seconds, 1))
    figure("events per second of the board's time", round(count / board_ms * 1000, 1))
    figure("lowest free heap", low)
    assert low > first - DRIFT_BYTES
    assert listener.waiting() == 0


def test_round_trips(dut: Target, listener: Listener, settings: dict[str, Any], figure: Figure) -> None:
    listener.hook("ready")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("ready", None)
    # The first loads what answers.
    assert listener.request("echo", 0) == 0
    taken = []
    for number in range(PINGS * dut.events // 10_000):
        began = time.perf_counter()
        assert listener.request("echo", {"number": number}) == {"number": number}
        taken.append((time.perf_counter() - began) * 1000)
    figure("round trip, median ms", round(statistics.median(taken), 2))
    figure("round trip, longest ms", round(max(taken), 2))
