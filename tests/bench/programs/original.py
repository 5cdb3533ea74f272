"""A process of EventHive 0.5.0, for its own Python: `original.py caller|member CONFIG`, asked as those are.

It adds its metadata only where the configuration has it added, never ends by itself, and says {"servers": {}}.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from checker import Checker, resources

import eventhive

EVENT = "my-hive/queen/temperature"


def called(question: dict[str, Any]) -> dict[str, Any]:
    start = due = time.monotonic_ns()
    calls = []
    for number in range(question["first"], question["first"] + question["send"]):
        if question["rate"]:
            time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
            due += 1_000_000_000 // question["rate"]
        calls.append(time.monotonic_ns())
        eventhive.EVENTS.call(EVENT, {"celsius": 21.5, "device": 10, "n": number})
    return {"start_ns": start, "calls": calls if question["rate"] else [], **resources()}


def main() -> None:
    """Serve until the input ends."""
    checker = Checker()
    eventhive.CONFIG.read_string(Path(sys.argv[2]).read_text())
    eventhive.EVENTS.append(EVENT if sys.argv[1] == "caller" else "queen/temperature")
    if sys.argv[1] == "member":

        @eventhive.hook("queen/temperature")
        def take(data: dict[str, Any]) -> None:
            checker.take(data)

    eventhive.init()
    print(json.dumps({"servers": {}}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        if "send" in question:
            answer = called(question)
        else:
            checker.wait(question["expect"], None)
            answer = {**checker.report(None, question.get("entries", False)), **resources()}
        print(json.dumps(answer), flush=True)
    os._exit(0)


main()
