"""What a gateway costs, and how fast it is, with a fleet of devices that live as boards do.

`eventhive gateway run` in a process of its own, as a service manager starts it, passes what devices send on to a hive
in another process (a websocket network, all else as by default: sealed sessions, `delivery: sent`, a spool). The
devices are of the same core, in a third process, each from an address of its own, with their heartbeats of 20 s.
Processor time and memory are those of the gateway's process as the kernel counts them, whatever else the machine does.

ready_ms            from the start of the program to READY=1 at its notify socket, with FLEET devices in the key file
idle_cpu_percent    of one core, with FEW devices connected that send heartbeats only
idle_rss_bytes      resident memory then, after FEW devices sent at RATE for a while
fleet_cpu_percent   of one core, with FLEET devices, each of which sends an event every 5 s on average
fleet_rss_bytes     resident memory, after FLEET devices sent at RATE for a while
device_rss_bytes    what one more device costs, from FEW to FLEET: its entry in the key file, connection, session
gateway_p50_ms      RATE events a second from FLEET devices, at random times: from the call on the device to the arrival
gateway_p99_ms      in the loop of the hive's process. So both ways through the kernel, what waits in it, and what the
                    two other processes take for it, are in these figures; the gateway's own part is smaller
reconnect_1000_s    1,000 of the fleet drop and connect again at once, each with an event that waits: until all of these
                    are acknowledged
cpu_us_per_event    processor time of the gateway at RATE, for each event
outage_device_rss_bytes   what a device costs more while the hive is away, after some hundred events that wait on disk
page_loss_percent   of RATE events a second from WATCHED devices, by a page that is open: one reads the live tail, and
                    asks for the state and the metrics every half second. Until the last event has arrived, each round
                    with one of a gateway without a page; page_p99_ms: the time of an event then
refused             connections that were not let in at first, while all connected and reconnected
lost                events that did not reach the hive exactly once, in order and unaltered
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import support
from page import Visitor
from service import Service
from stand import GATEWAY, NETWORK, Bench, bench
from support import median, percentile, spread

from eventhive.gateway.control import request
from eventhive.websocket.listener import ACCEPTS_PER_S

HIVE = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: queen}
servers:
  my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: 0}}
"""

CONFIG = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: gateway, init: {host: 127.0.0.1, port: %d}}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
"""

PAGE = "  http: {host: 127.0.0.1, port: 0, login: false}\n"


@dataclass(frozen=True)
class Plan:
    """How many devices, how long a look at something takes, in seconds, how often it is repeated."""

    few: int = 100
    fleet: int = 2000
    returning: int = 1000
    # An event of each device in so many seconds; events a second of all of them.
    every_s: float = 5.0
    rate: int = 2000
    # At 1 % of a core, 200 ticks of the kernel's clock in 20 s.
    window_s: float = 20.0
    burst_s: float = 10.0
    warm_s: float = 4.0
    repeats: int = 3
    starts: int = 5
    # With a page; and during an outage, more events of each than the gateway keeps in memory.
    watched: int = 200
    away: int = 200
    missed: int = 300


QUICK = Plan(
    few=10,
    fleet=60,
    returning=30,
    rate=200,
    window_s=0.5,
    burst_s=0.5,
    warm_s=0.2,
    repeats=1,
    starts=1,
    watched=20,
    away=20,
    missed=10,
)


@dataclass(frozen=True)
class Run:
    """What became of events: how long each took, in milliseconds, and how many came a second; 0 where some did not."""

    delays_ms: list[float]
    rate: float = 0.0


class Scene:
    """A hive, a gateway in whose key file so many devices are, and these devices."""

    gateway: Service

    def __init__(self, stand: Bench, devices: int, more: str):
        self._stand = stand
        self._keys = stand.enrol_many(devices)
        (stand.folder / "hive.yaml").write_text(HIVE)
        self._hive = stand.python("watcher.py", str(stand.folder / "hive.yaml"))
        self._config = CONFIG % self._hive.answer()["servers"][NETWORK] + more
        self._fleet = stand.python("fleet.py")
        self.lost = self.refused = 0
        self.start()

    def start(self) -> None:
        """Start the gateway."""
        self.gateway = Service(self._stand, self._config)
        self._stand.started(self.gateway)

    def page_port(self) -> int:
        """Where its page is."""
        address: str = request(self._stand.folder / f"{GATEWAY}.sock", "ping")["page"]
        return int(address.rpartition(":")[2])

    def connect(self) -> None:
        """Connect all devices."""
        self.refused += self._fleet.ask(connect=self._keys, port=self._stand.gateway_port())["refused"]

    def pace(self, rate: float, seconds: float) -> Run:
        """Have all devices send."""
        self.begin(rate, seconds)
        return self.end()

    def begin(self, rate: float, seconds: float) -> None:
        """Have all devices send, meanwhile."""
        self._fleet.tell(pace=rate, seconds=seconds, devices=len(self._keys))

    def end(self) -> Run:
        """What became of what was sent since `begin`."""
        calls = self._fleet.answer()["calls"]
        seen = self._check(len(calls))
        arrivals = sorted(seen["entries"])
        if len(arrivals) != len(calls):
            return Run([])
        delays = [(arrival - call) / 1e6 for call, (_, arrival) in zip(calls, arrivals, strict=True)]
        return Run(delays, len(calls) / (seen["last_ns"] - calls[0]) * 1e9)

    def miss(self, rate: float, events: int) -> None:
        """The hive is gone for good, and devices send so many events each."""
        self._hive.process.kill()
        self.begin(rate, events * len(self._keys) / rate)
        self._fleet.answer()

    def reconnect(self, devices: int) -> float:
        """Have so many devices drop and come again; the seconds that it took."""
        done = self._fleet.ask(reconnect=devices)
        self._check(done["sent"])
        self.refused += done["refused"]
        seconds: float = done["seconds"]
        return seconds

    def _check(self, sent: int) -> dict[str, Any]:
        seen = self._hive.ask(expect=sent, entries=True)
        self.lost += sent - seen["right"] + seen["wrong"]
        return seen


@contextmanager
def scene(devices: int, more: str = "", connected: bool = True) -> Iterator[Scene]:
    """Everything is ended with it; `more` is for the gateway's configuration."""
    with bench() as stand:
        made = Scene(stand, devices, more)
        if connected:
            made.connect()
        yield made


def idle(plan: Plan) -> dict[str, Any]:
    """Few devices."""
    with scene(plan.few) as one:
        one.pace(plan.rate, plan.warm_s)
        cpu = [one.gateway.core_percent(plan.window_s) for _ in range(plan.repeats)]
        rss = one.gateway.rss()
    return {"idle_cpu_percent": cpu, "idle_rss_bytes": [rss], "lost": one.lost, "refused": one.refused}


def fleet(plan: Plan) -> dict[str, Any]:
    """Many devices: in their daily life, in a hurry, and after an outage."""
    with scene(plan.fleet) as one:
        one.pace(plan.rate, plan.warm_s)
        cpu = []
        for _ in range(plan.repeats):
            # Longer than it is looked at, by what it takes to begin.
            one.begin(plan.fleet / plan.every_s, plan.window_s * 1.1)
            cpu.append(one.gateway.core_percent(plan.window_s))
            one.end()
        delays, each = [], []
        for _ in range(plan.repeats):
            before = one.gateway.cpu_s()
            delays.append(one.pace(plan.rate, plan.burst_s).delays_ms)
            each.append((one.gateway.cpu_s() - before) / max(len(delays[-1]), 1) * 1e6)
        rss = one.gateway.rss()
        seconds = []
        for _ in range(plan.repeats):
            # One outage, and not many in a row: listener.py lets in 1,024 at once, and then 500 a second.
            time.sleep(plan.returning / ACCEPTS_PER_S)
            seconds.append(one.reconnect(plan.returning))
    if one.lost:
        delays = [[0.0]]
    return {
        "fleet_cpu_percent": cpu,
        "fleet_rss_bytes": [rss],
        "gateway_p50_ms": [percentile(values, 50) for values in delays],
        "gateway_p99_ms": [percentile(values, 99) for values in delays],
        "cpu_us_per_event": each,
        "reconnect_1000_s": seconds,
        "lost": one.lost,
        "refused": one.refused,
    }


def looked_at(plan: Plan) -> dict[str, Any]:
    """A page that is open, in turn with none."""
    loss, p99 = [], []
    with scene(plan.watched) as bare, scene(plan.watched, PAGE) as seen:
        visitor = Visitor(seen.page_port())
        for one in (bare, seen):
            one.pace(plan.rate, plan.warm_s)
        for _ in range(plan.repeats):
            without = bare.pace(plan.rate, plan.burst_s)
            with visitor.looking():
                run = seen.pace(plan.rate, plan.burst_s)
            loss.append((1 - run.rate / (without.rate or 1)) * 100)
            p99.append(percentile(run.delays_ms or [0.0], 99))
    return {
        "page_loss_percent": loss,
        "page_p99_ms": p99,
        "lost": bare.lost + seen.lost,
        "refused": bare.refused + seen.refused,
    }


def outage(plan: Plan) -> list[float]:
    """Bytes for each device."""
    with scene(plan.away) as one:
        one.pace(plan.rate, plan.warm_s)
        before = one.gateway.rss()
        one.miss(plan.rate, plan.missed)
        return [(one.gateway.rss() - before) / plan.away]


def starts(plan: Plan) -> list[float]:
    """Milliseconds until it was ready, with a fleet in its key file and a hive to connect to."""
    took = []
    with scene(plan.fleet, connected=False) as one:
        for _ in range(plan.starts):
            one.gateway.close()
            one.start()
            # The first one compiled what it needs, and read it from the disk.
            took.append(one.gateway.ready_ms)
    return took


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    plan = QUICK if options.quick else Plan()
    few, many, page = idle(plan), fleet(plan), looked_at(plan)
    lost, refused = (few.pop(key) + many.pop(key) + page.pop(key) for key in ("lost", "refused"))
    values = {"ready_ms": starts(plan), **few, **many, "outage_device_rss_bytes": outage(plan), **page}
    digits = {"ready_ms": 1, "cpu_us_per_event": 1, **{name: 0 for name in values if name.endswith("bytes")}}
    growth = many["fleet_rss_bytes"][0] - few["idle_rss_bytes"][0]
    return {
        **{name: median(some, digits.get(name, 3)) for name, some in values.items()},
        "device_rss_bytes": round(growth / (plan.fleet - plan.few)),
        "lost": lost,
        "refused": refused,
        "devices": {"few": plan.few, "fleet": plan.fleet, "returning": plan.returning, "watched": plan.watched},
        "rate": plan.rate,
        "spread": {name: spread(some, digits.get(name, 3)) for name, some in values.items() if len(some) > 1},
    }


if __name__ == "__main__":
    support.main(measure)
