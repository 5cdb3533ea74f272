"""A process of a hive that calls my-hive/queen/temperature: `caller.py CONFIG`; it may host the server.

Prints {"servers": {network: port}} when it is up. A question {"send": n, "first": k, "rate": r} has it call n events,
numbered from k, as fast as it may or r a second, and is answered with {"start_ns", "calls"} and the resources of
checker.py: when it began (CLOCK_MONOTONIC), and with a rate when it made each call. It ends with its input.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from checker import resources

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import eventhive

EVENT = "my-hive/queen/temperature"
DEVICE = 10


def burst(count: int, first: int) -> None:
    call = eventhive.EVENTS.call
    for number in range(first, first + count):
        call(EVENT, {"celsius": 21.5, "device": DEVICE, "n": number})


def paced(count: int, first: int, rate: int) -> list[int]:
    call = eventhive.EVENTS.call
    calls = []
    due = time.monotonic()
    for number in range(first, first + count):
        time.sleep(max(0.0, due - time.monotonic()))
        due += 1 / rate
        data = {"celsius": 21.5, "device": DEVICE, "n": number}
        calls.append(time.monotonic_ns())
        call(EVENT, data)
    return calls


def obey(question: dict[str, Any]) -> dict[str, Any]:
    start = time.monotonic_ns()
    done: dict[str, Any] = {"start_ns": start}
    if question["rate"]:
        done["calls"] = paced(question["send"], question["first"], question["rate"])
    else:
        burst(question["send"], question["first"])
    return {**done, **resources()}


def main() -> None:
    """Serve until the input ends."""
    eventhive.CONFIG.read_file(sys.argv[1])
    eventhive.init()
    print(json.dumps({"servers": {name: server.port for name, server in eventhive.SERVERS.items()}}), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)
    eventhive.stop()


main()
