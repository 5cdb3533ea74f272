"""What the page costs a gateway: sealed, acknowledged events a second without one, with one, and with one in use.

200 devices send as in link_throughput.py (32 events outstanding, one event a message), to a gateway without and one
with a page, in turn, as fast as it takes them: all that a page costs is missing then. What it costs at a rate that
leaves the gateway time is in gateway.py. In use means: one reads the live tail, and asks for the state and the metrics
every half second.

without_per_second   the gateway has no page
with_per_second      it has one, at which nobody looks
in_use_per_second    somebody does
cost_percent         of a page at which nobody looks, of each round; in_use_cost_percent: of one in use
cpu_us_per_event     by the same names: processor time of the gateway
answer_ms            by address: how long the gateway took for it, while the devices sent
lost                 events that did not reach the hook exactly once, in order and unaltered
"""

import argparse
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import support
from link_throughput import QUICK, SHAPES, Plan, Way, enrolled
from stand import GATEWAY, GATEWAY_CONFIG
from support import median, spread

from eventhive.gateway.control import request

DEVICES = 200
SHAPE = replace(SHAPES["pipelined_50"], devices=DEVICES)
REPEATS = 9

ASKED = ("/api/state", "/metrics")
EVERY_S = 0.5
PATIENCE_S = 30.0


class Visitor:
    """Somebody who looks at a page; `took_ms` by address."""

    def __init__(self, port: int):
        self.took_ms: dict[str, list[float]] = {address: [] for address in ASKED}
        self._port = port
        self._gone = threading.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look on until the end of the block."""
        self._gone.clear()
        threads = [threading.Thread(target=one) for one in (self._read, self._ask)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._gone.set()
            for thread in threads:
                thread.join()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)

    def _read(self) -> None:
        connection = self._connect()
        connection.request("GET", "/api/events")
        response = connection.getresponse()
        while not self._gone.is_set() and response.read1(65536):
            pass
        response.close()
        connection.close()

    def _ask(self) -> None:
        connection = self._connect()
        while not self._gone.wait(EVERY_S):
            for address in ASKED:
                began = time.perf_counter()
                connection.request("GET", address)
                connection.getresponse().read()
                self.took_ms[address].append((time.perf_counter() - began) * 1000)
        connection.close()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    plan = Plan(1, QUICK) if options.quick else Plan(REPEATS, 1)
    rates: dict[str, list[float]] = {"without": [], "with": [], "in_use": []}
    cpu: dict[str, list[float]] = {name: [] for name in rates}
    with ExitStack() as stack:
        bare, _ = _started(stack, "")
        seen, port = _started(stack, "  http: {host: 127.0.0.1, port: 0, login: false}\n")
        visitor = Visitor(port)
        for way in (bare, seen):
            way.run(plan.warm(SHAPE))
        for _ in range(plan.repeats):
            for name, way in (("without", bare), ("with", seen), ("in_use", seen)):
                with ExitStack() as looking:
                    if name == "in_use":
                        looking.enter_context(visitor.looking())
                    run = way.run(plan.full(SHAPE))
                rates[name].append(run.rate)
                cpu[name].append(run.cpu_us[1])
    return {
        **{f"{name}_per_second": median(values) for name, values in rates.items()},
        "cost_percent": _cost(rates, "with"),
        "in_use_cost_percent": _cost(rates, "in_use"),
        "cpu_us_per_event": {name: median(values, 1) for name, values in cpu.items()},
        "answer_ms": {address: median(took, 1) for address, took in visitor.took_ms.items() if took},
        "spread": {name: spread(values) for name, values in rates.items()},
        "lost": bare.lost + seen.lost,
    }


def _started(stack: ExitStack, more: str) -> tuple[Way, int]:
    """A gateway with devices, and the port of its page, 0 without one."""
    stand = stack.enter_context(enrolled(DEVICES))
    way = Way(stand, stand.gateway(GATEWAY_CONFIG + more))
    address = request(stand.folder / f"{GATEWAY}.sock", "ping")["page"]
    return way, int(address.rpartition(":")[2] or 0)


def _cost(rates: dict[str, list[float]], name: str) -> float:
    pairs = zip(rates["without"], rates[name], strict=True)
    return median([(1 - ours / bare) * 100 for bare, ours in pairs], 1)


if __name__ == "__main__":
    support.main(measure)
