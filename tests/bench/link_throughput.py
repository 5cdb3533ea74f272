"""Sealed, acknowledged events a second, and the time from a call to the entry of the hook.

Devices of the same core send from one process, the gateway with the hook is another; for `events_per_second_hive` the
hook is in a third, which is a worker on the hive's wire. An event has 40 bytes of JSON. A rate is events divided by the
time from the first call to the last acknowledgement or the entry of the last hook, whichever is later.

lockstep_50            50 devices, each with one event in flight
pipelined_50           50 devices, each with 32 events outstanding, one event a message
backlog_50             50 devices, each with 200 events outstanding, in records of up to 1 KiB
events_per_second_1    one device with 32 events outstanding, one event a message
events_per_second_hive as pipelined_50, with the hook in the third process
p50_ms, p99_ms         one device with one event in flight: from the call to the entry of the hook
reference_per_second   bare `websockets`: 50 connections, each with one request in flight; reference_per_second_1: one
lost                   events that did not reach a hook exactly once, in order and unaltered
cpu_us_per_event       processor time of both processes, [devices, gateway]
reference_ratio        lockstep_50 to the reference
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import support
from stand import NETWORK, Bench, Child, bench
from support import median, percentile, spread


@dataclass(frozen=True)
class Shape:
    """How devices send: `run` events in all, each `outstanding` of them, in records of `batch` bytes (0: one each)."""

    devices: int
    outstanding: int
    batch: int
    run: int


@dataclass(frozen=True)
class Run:
    """What came of it: events a second, processor time of each process per event, and delays if asked for."""

    rate: float
    cpu_us: list[float]
    delays_ms: list[float]


@dataclass(frozen=True)
class Plan:
    """How often everything is repeated, and what numbers of events are divided by."""

    repeats: int
    divisor: int

    def of(self, events: int) -> int:
        """So many events, or fewer."""
        return events // self.divisor

    def full(self, shape: Shape) -> Shape:
        """The shape with its events, or fewer."""
        return replace(shape, run=max(self.of(shape.run), shape.devices))

    def warm(self, shape: Shape) -> Shape:
        """The shape with a quarter of its events."""
        return replace(shape, run=max(self.of(shape.run) // 4, shape.devices))


DEVICES = 50
# Short and many: what else a machine does comes and goes within seconds.
REPEATS = 7
# What numbers of events are divided by where only the way is tried out.
QUICK = 100

SHAPES = {
    "lockstep_50": Shape(DEVICES, 1, 1024, 20_000),
    "pipelined_50": Shape(DEVICES, 32, 0, 50_000),
    "backlog_50": Shape(DEVICES, 200, 1024, 150_000),
    "events_per_second_1": Shape(1, 32, 0, 25_000),
}
HIVE = Shape(DEVICES, 32, 0, 30_000)
LATENCY = Shape(1, 1, 1024, 3_000)
REFERENCE_EVENTS = 15_000
REFERENCE_EVENTS_1 = 3_000

WITH_SERVER = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: gateway}
servers:
  my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: 0}}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
"""

WORKER = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen, init: {host: 127.0.0.1, port: %d}}
"""


class Way:
    """Devices on one side, a process with the hook on the other; counts what is lost on the way.

    `processes` are those whose processor time is of interest beside that of the devices; the first has the hook.
    """

    def __init__(self, stand: Bench, *processes: Child):
        self.lost = 0
        self._processes = processes
        self._devices = stand.python("drivers.py")
        self._devices.ask(connect=stand.keys, port=stand.gateway_port())

    def run(self, shape: Shape, timed: bool = False) -> Run:
        """Send events and check them."""
        sent = self._devices.ask(**asdict(shape), calls=timed)
        seen = self._processes[0].ask(expect=sent["sent"], entries=timed)
        others = [process.ask(expect=0)["cpu_s"] for process in self._processes[1:]]
        lost = sent["sent"] - seen["right"] + seen["wrong"]
        self.lost += lost
        delays = []
        if timed and not lost:
            delays = [(entry - call) / 1e6 for call, (_, entry) in zip(sent["calls"], seen["entries"], strict=True)]
        return Run(
            rate(sent["sent"], sent["start_ns"], max(sent["end_ns"], seen["last_ns"])),
            [cpu / sent["sent"] * 1e6 for cpu in (sent["cpu_s"], seen["cpu_s"], *others)],
            delays,
        )


class Reference:
    """Bare `websockets` between two processes."""

    def __init__(self, stand: Bench):
        server = stand.python("reference.py", "serve")
        self._client = stand.python("reference.py", "ask")
        self._client.ask(connect=DEVICES, port=server.answer()["port"])

    def run(self, connections: int, requests: int) -> float:
        """Requests and answers a second."""
        done = self._client.ask(run=requests, connections=connections)
        return rate(done["sent"], done["start_ns"], done["end_ns"])


def rate(count: int, start_ns: int, end_ns: int) -> float:
    """A second."""
    return count / (end_ns - start_ns) * 1e9


class Table:
    """Collects repeats and gives their medians."""

    def __init__(self) -> None:
        self.rates: dict[str, list[float]] = {}
        self.cpu: dict[str, list[list[float]]] = {}

    def add(self, name: str, run: Run) -> None:
        """One repeat of one shape."""
        self.rates.setdefault(name, []).append(run.rate)
        self.cpu.setdefault(name, []).append(run.cpu_us)

    def figures(self) -> dict[str, Any]:
        """All that was collected."""
        cpu = {name: [median(one, 1) for one in zip(*runs, strict=True)] for name, runs in self.cpu.items()}
        spreads = {name: spread(rates) for name, rates in self.rates.items()}
        medians = {name: median(rates) for name, rates in self.rates.items()}
        return {**medians, "spread": spreads, "cpu_us_per_event": cpu}


def in_gateway(stand: Bench, table: Table, plan: Plan) -> dict[str, Any]:
    """The rates with the hook in the gateway's process, in turn with the reference, and the delays."""
    way = Way(stand, stand.gateway())
    reference = Reference(stand)
    reference.run(DEVICES, plan.of(REFERENCE_EVENTS))
    for name, shape in SHAPES.items():
        way.run(plan.warm(shape))
        for _ in range(plan.repeats):
            table.add(name, way.run(plan.full(shape)))
            if name == "lockstep_50":
                many = reference.run(DEVICES, plan.of(REFERENCE_EVENTS))
                table.rates.setdefault("reference_per_second", []).append(many)
                one = reference.run(1, plan.of(REFERENCE_EVENTS_1))
                table.rates.setdefault("reference_per_second_1", []).append(one)
    delays = [way.run(plan.full(LATENCY), timed=True).delays_ms for _ in range(plan.repeats)]
    pairs = zip(table.rates["lockstep_50"], table.rates["reference_per_second"], strict=True)
    ratio = median([ours / theirs for ours, theirs in pairs], 2)
    figures: dict[str, Any] = {"reference_ratio": ratio, "lost": way.lost}
    for name, percent in (("p50_ms", 50), ("p99_ms", 99)):
        values = [percentile(one, percent) for one in delays if one]
        figures[name] = median(values, 3) if values else None
        figures[f"{name}_spread"] = spread(values, 3) if values else None
    return figures


def over_hive(stand: Bench, table: Table, plan: Plan) -> int:
    """The rate with the hook in a third process; returns what was lost."""
    gateway = stand.gateway(WITH_SERVER)
    worker = stand.member("worker", WORKER % gateway.ready["servers"][NETWORK])
    way = Way(stand, worker, gateway)
    way.run(plan.warm(HIVE))
    for _ in range(plan.repeats):
        table.add("events_per_second_hive", way.run(plan.full(HIVE)))
    return way.lost


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    plan = Plan(1, QUICK) if options.quick else Plan(REPEATS, 1)
    table = Table()
    with enrolled() as stand:
        figures = in_gateway(stand, table, plan)
    with enrolled() as stand:
        figures["lost"] += over_hive(stand, table, plan)
    return {**table.figures(), **figures}


@contextmanager
def enrolled(devices: int = DEVICES) -> Iterator[Bench]:
    """A bench on which so many devices have their keys."""
    with bench() as stand:
        stand.enrol(*[f"sensor-{number}" for number in range(devices)])
        yield stand


if __name__ == "__main__":
    support.main(measure)
