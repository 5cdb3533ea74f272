"""What the device package takes of a board: flash and heap, on the 64-bit unix port of MicroPython, in the staged tree.

mpy_bytes, mpy_files   compiled files; other_bytes: what lies beside them on flash and is never loaded as a whole
heap_kept_bytes        by `import eventhive` and `init()` of a sealed websocket node; asyncio, json, socket and ssl are
                       imported before, and loaded, as by any program with a network
heap_running_bytes     the same after the first acknowledged event, with the link up
smallest_heap_bytes    of `-X heapsize`, in steps of 256 bytes, that carries an acknowledged event, program and imports
                       included; from here up to the next KiB, each size does
heap_drift_bytes       between the first thousand acknowledged events and the hundred thousand after them
lost                   events of all these that the hook did not get exactly once as they were sent; in the search
                       for the smallest heap, of those that were acknowledged: a heap without such a one carries none
"""

import argparse
from typing import Any

import support
from stand import FIRST, Bench, Child, bench, require_micropython
from support import BenchmarkError, median, spread

HEAPS = 3
STEP = 256
# Where the search begins: less does not hold asyncio, more is more than a small board has.
LEAST, MOST = 20 * 1024, 128 * 1024
# Sizes above the smallest that must do as well; success near the edge depends on where objects happen to lie.
ABOVE = 4
# Without memory some fail and some hang; with it, an event takes a tenth of a second, and `one.py` waits 2 s for it.
HANGS_S = 4.0

# Above the numbers that name the device of other events.
DEVICES = 100

SETTLE, EVENTS = 1_000, 100_000
QUICK_STEP, QUICK_EVENTS = 16 * 1024, 1_000


class Footprint:
    """Device programs against one gateway."""

    def __init__(self, stand: Bench):
        self.lost = 0
        self._stand = stand
        self._gateway: Child = stand.gateway()
        self._port = stand.gateway_port()
        self._number = FIRST
        self._tries = 0

    def heap(self) -> dict[str, int]:
        """Heap in use, kept and running."""
        answer = self._stand.device("heap", self._port, "heap.py", self._next(1)).answer()
        self._check(1, answer)
        return answer

    def drift(self, events: int) -> int:
        """How much more heap is in use after so many events."""
        device = self._stand.device("drift", self._port, "sender.py")
        used = []
        for count in (SETTLE, events):
            answer = device.ask(send=count, first=int(self._next(count)), device=10)
            self._check(count, answer)
            used.append(answer["allocated"])
        return int(used[1] - used[0])

    def smallest(self, step: int) -> int:
        """The smallest heap that carries an event, and so do the sizes next to it; the last to be measured."""
        low, high = LEAST, MOST
        if not self._carries(high):
            raise BenchmarkError(f"a heap of {high} bytes does not carry one event")
        while high - low > step:
            middle = (low + high) // 2 // step * step
            if all(self._carries(middle + STEP * above) for above in range(ABOVE)):
                high = middle
            else:
                low = middle
        return high

    def _carries(self, size: int) -> bool:
        options = ("-X", f"heapsize={size}")
        # A number of its own for each try: the event of one that failed may have arrived, or not.
        self._tries += 1
        device = DEVICES + self._tries
        child = self._stand.device("one", self._port, "one.py", str(device), options=options)
        try:
            answer = child.answer(HANGS_S)
        except BenchmarkError:
            return False
        finally:
            child.close()
        if answer["acknowledged"]:
            self._check(1, answer, device)
        return bool(answer["acknowledged"])

    def _check(self, count: int, answer: dict[str, Any], device: int | None = None) -> None:
        """Count what was lost of so many events; with `device`, no other's that arrive meanwhile are looked at."""
        seen = self._gateway.ask(expect=count, device=device)
        self.lost += count - min(seen["right"], answer["acknowledged"]) + seen["wrong"]

    def _next(self, count: int) -> str:
        number, self._number = self._number, self._number + count
        return str(number)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    require_micropython()
    repeats, step, events = (1, QUICK_STEP, QUICK_EVENTS) if options.quick else (HEAPS, STEP, EVENTS)
    with bench() as stand:
        stand.enrol("heap", "one", "drift")
        board = stand.tree()
        sizes = {path.relative_to(board).as_posix(): path.stat().st_size for path in board.rglob("*") if path.is_file()}
        compiled = {name: size for name, size in sorted(sizes.items()) if name.endswith(".mpy")}
        footprint = Footprint(stand)
        heaps = [footprint.heap() for _ in range(repeats)]
        used = {f"heap_{key}_bytes": [heap[key] for heap in heaps] for key in ("kept", "running")}
        drift = footprint.drift(events)
        return {
            "mpy_bytes": sum(compiled.values()),
            "mpy_files": compiled,
            "other_bytes": sum(sizes.values()) - sum(compiled.values()),
            **{key: median(values) for key, values in used.items()},
            "spread": {key: spread(values) for key, values in used.items()},
            "smallest_heap_bytes": footprint.smallest(step),
            "heap_drift_bytes": drift,
            "lost": footprint.lost,
        }


if __name__ == "__main__":
    support.main(measure)
