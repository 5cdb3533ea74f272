"""A process of a hive with a hook that checks every event: `member.py CONFIG`; a gateway, a server, or neither.

Prints {"servers": {network: port}} when it is up. A question {"expect": n} is answered, once n events more than at the
last answer have come or none comes any more, with {"right", "wrong", "last_ns", "cpu_s", "entries"}: how many came in
order and unaltered, how many otherwise, when the last hook was entered (CLOCK_MONOTONIC), processor time of this
process since the last answer, and with {"entries": true} the time at which each hook was entered. With {"device": id},
only events of that device count. It ends with its input.
"""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import eventhive

# No event for so long means that none comes any more.
QUIET_S = 5.0


class Checker:
    """Knows which event of each device comes next. Every event is {"celsius": 21.5, "device": id, "n": number}."""

    def __init__(self) -> None:
        self.right: dict[object, int] = defaultdict(int)
        self.wrong: dict[object, int] = defaultdict(int)
        self.last_ns = 0
        self.entries: list[int] = []
        self._next: dict[object, int] = {}

    def take(self, data: dict[str, Any]) -> None:
        """The hook: check one event."""
        self.last_ns = now = time.monotonic_ns()
        self.entries.append(now)
        device, number = data["device"], data["n"]
        expected = self._next.get(device, number)
        if number == expected and data == {"celsius": 21.5, "device": device, "n": number}:
            self.right[device] += 1
            self._next[device] = number + 1
        else:
            self.wrong[device] += 1
            self._next[device] = max(expected, number + 1)

    def wait(self, count: int, device: object) -> None:
        """Return when so many events were taken, or none comes any more."""
        before = -1
        quiet = time.monotonic()
        while (taken := sum(self._counts(device))) < count and time.monotonic() < quiet + QUIET_S:
            if taken > before:
                before, quiet = taken, time.monotonic()
            time.sleep(0.002)

    def report(self, device: object, entries: bool) -> dict[str, Any]:
        """What was seen since the last report."""
        right, wrong = self._counts(device)
        seen: dict[str, Any] = {"right": right, "wrong": wrong, "last_ns": self.last_ns}
        if entries:
            seen["entries"] = self.entries
        self.right.clear()
        self.wrong.clear()
        self.entries = []
        return seen

    def _counts(self, device: object) -> tuple[int, int]:
        """How many came right, and wrong: from one device, or (None) from all."""
        if device is None:
            # Lists, because the hooks' thread goes on adding devices.
            return sum(list(self.right.values())), sum(list(self.wrong.values()))
        return self.right[device], self.wrong[device]


def main() -> None:
    """Serve until the input ends."""
    checker = Checker()
    eventhive.CONFIG.read_file(sys.argv[1])
    eventhive.hook("queen/temperature")(checker.take)
    eventhive.init()
    print(json.dumps({"servers": {name: server.port for name, server in eventhive.SERVERS.items()}}), flush=True)
    cpu = time.process_time()
    for line in sys.stdin:
        question = json.loads(line)
        device = question.get("device")
        checker.wait(question["expect"], device)
        used = time.process_time() - cpu
        print(json.dumps({**checker.report(device, question.get("entries", False)), "cpu_s": used}), flush=True)
        cpu = time.process_time()
    eventhive.stop()


main()
