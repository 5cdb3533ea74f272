"""What the programs of a hive share: the hook that checks every event, what is told of it, and what a process holds.

A question {"expect": n} is answered, once n events more than at the last answer have come or none comes any more, with
{"right", "wrong", "last_ns", "cpu_s", "entries"} and the resources below: how many came in order and unaltered, how
many otherwise, when the last one was taken (CLOCK_MONOTONIC), processor time of this process since the last answer, and
with {"entries": true} the number of each event and when it was taken. With {"device": id}, only events of that device
count.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# No event for so long means that none comes any more.
QUIET_S = 5.0


class Checker:
    """Knows which event of each device comes next. Every event is {"celsius": 21.5, "device": id, "n": number}.

    `right` are those that came unaltered and behind all with lower numbers, `wrong` the others, `entries` all of them.
    """

    def __init__(self) -> None:
        self.right: dict[object, int] = defaultdict(int)
        self.wrong: dict[object, int] = defaultdict(int)
        self.last_ns = 0
        self.entries: list[tuple[int, int]] = []
        self._next: dict[object, int] = {}

    def take(self, data: dict[str, Any]) -> None:
        """The hook: check one event."""
        self.last_ns = now = time.monotonic_ns()
        device, number = data["device"], data["n"]
        self.entries.append((number, now))
        expected = self._next.get(device, number)
        # A gap is counted where the events are counted: as what has not come.
        if number >= expected and data == {"celsius": 21.5, "device": device, "n": number}:
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


def ready(servers: Mapping[str, Any]) -> None:
    """Tell that this process is up, and at which ports it serves networks."""
    print(json.dumps({"servers": {name: server.port for name, server in servers.items()}}), flush=True)


def serve(checker: Checker) -> None:
    """Answer questions until the input ends."""
    cpu = time.process_time()
    for line in sys.stdin:
        question = json.loads(line)
        device = question.get("device")
        checker.wait(question["expect"], device)
        used = time.process_time() - cpu
        seen = checker.report(device, question.get("entries", False))
        print(json.dumps({**seen, **resources(), "cpu_s": used}), flush=True)
        cpu = time.process_time()


def resources() -> dict[str, int]:
    """{"rss", "threads", "fds"}: resident bytes, threads and descriptors of this process (proc(5); zeros elsewhere)."""
    if not os.path.isdir("/proc/self/fd"):
        return {"rss": 0, "threads": 0, "fds": 0}
    words = Path("/proc/self/statm").read_text().split()
    return {
        "rss": int(words[1]) * os.sysconf("SC_PAGE_SIZE"),
        "threads": len(os.listdir("/proc/self/task")),
        "fds": len(os.listdir("/proc/self/fd")),
    }
