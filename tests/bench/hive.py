"""Events a second from one process of a hive to another, and the time from a call to the entry of the hook.

The caller hosts the server; events have 40 bytes of JSON, and the hook checks number, order and content of each. A rate
is the events of one burst divided by the time from the first call to the entry of the last hook.

websocket            on the wire of 0.5.0: messages_per_second, lost, out_of_order, p50_ms, p99_ms (at 1,000 a second)
websocket_secret     the same, sealed as 0.5.0 does
websocket_lean       the same as websocket, on the wire that two of ours agree on
redis                the same as websocket, over a Redis server of this run; a line that says why where there is none
original             websocket, websocket_secret and redis of EventHive 0.5.0 (--original) in small bursts; or why not
reference_per_second bare `websockets`: one connection with one request in flight, measured between the bursts
drift                by way, of caller and worker: bytes of resident memory, threads, descriptors after the last burst,
                     less the most that there were after one before it: 0 or below is flat
import_ms            `import eventhive` in a fresh interpreter, less an empty one
lost, out_of_order   events that did not reach the hook; those that did, but after one with a higher number, a second
                     time or altered; the top-level key counts both, for all ways of ours
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import support
from stand import FIRST, NETWORK, Bench, Child, bench
from support import BenchmarkError, median, percentile, spread

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hive" / "lib"))

from original import COMPLETE, FOLDER
from redis_server import MISSING, PROGRAM, RedisServer

from eventhive.cli.chaos.ports import free_port

ROOT = Path(__file__).resolve().parents[2]

# 0.5.0 connects in the background, and looks for a server once a second.
CONNECTED_S = 60.0

DEFAULT_ORIGINAL = FOLDER / "bin" / "python"
HELP = "the Python of an environment with EventHive 0.5.0 (default: %(default)s)"

CALLER = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: caller%s}
servers:
  my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: 0}}
"""
WORKER = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen%s, init: {host: 127.0.0.1, port: %d, wire: %s}}
"""
ON_REDIS = """
connectors:
  my-hive: {pubsub_type: redis, input_channel: %s, init: {host: 127.0.0.1, port: %d}}
"""
SECRET = ", secret: benchmark"


# 0.5.0 sends without metadata only where it is told so. It does not say which port it got.
ORIGINAL = """
eventhive: {remove_metadata: true}
connectors:
  my-hive: {pubsub_type: %s, input_channel: %s%s, init: {host: 127.0.0.1, port: %d%s}}
"""
ORIGINAL_SERVER = """
servers:
  my-hive:
    {pubsub_type: fastapi, create: always, broadcast: false, init: {host: 127.0.0.1, port: %d, endpoint: /pubsub}}
"""


@dataclass(frozen=True)
class Plan:
    """How often a burst and a paced run are repeated, how many events they have, and how many a second the latter."""

    repeats: int
    burst: int
    paced: int
    rate: int = 1000


FULL = Plan(repeats=3, burst=100_000, paced=5_000)
QUICK = Plan(repeats=1, burst=500, paced=100)
# What it delivers in some ten seconds; at 1,000 a second it falls behind, and its delays would be those of a queue.
ORIGINAL_FULL = Plan(repeats=3, burst=1_000, paced=300, rate=50)
ORIGINAL_QUICK = Plan(repeats=1, burst=20, paced=10, rate=50)
IMPORTS = 10


class Way:
    """From a caller to the hook of a worker; counts what is lost, and what each burst leaves in both processes."""

    def __init__(self, caller: Child, worker: Child, plan: Plan):
        self.plan = plan
        self.rates: list[float] = []
        self.delays: list[list[float]] = []
        self.sent = self.right = self.wrong = 0
        self._caller, self._worker = caller, worker
        self._held: list[dict[str, dict[str, int]]] = []

    def burst(self, count: int) -> float:
        """Send events as fast as may be; returns how many reached the hook in a second."""
        start, end, _, arrived = self._run(count, 0)
        return arrived / max(end - start, 1) * 1e9

    def pace(self) -> list[float]:
        """Send events at a steady rate; returns the delay of each in ms."""
        first = FIRST + self.sent
        _, _, (calls, entries), _ = self._run(self.plan.paced, self.plan.rate)
        return [(entry - calls[number - first]) / 1e6 for number, entry in entries if number >= first]

    def figures(self) -> dict[str, Any]:
        """What the runs so far say."""
        figures: dict[str, Any] = {
            "messages_per_second": median(self.rates),
            "spread": spread(self.rates),
            "lost": self.sent - self.right - self.wrong,
            "out_of_order": self.wrong,
        }
        for key, percent in (("p50_ms", 50), ("p99_ms", 99)):
            values = [percentile(one, percent) for one in self.delays if one]
            figures[key] = median(values, 3) if values else None
        return figures

    def drift(self) -> dict[str, dict[str, int]]:
        """What each process holds after the last burst beyond what it has held after any other."""
        *before, last = self._held
        return {
            who: {key: last[who][key] - max(one[who][key] for one in before) for key in last[who]} for who in last
        }

    def _run(self, count: int, rate: int) -> tuple[int, int, tuple[list[int], list[list[int]]], int]:
        done = self._caller.ask(send=count, first=FIRST + self.sent, rate=rate)
        seen = self._worker.ask(expect=count, entries=bool(rate))
        self.sent += count
        self.right += seen["right"]
        self.wrong += seen["wrong"]
        if not rate:
            kinds = ("rss", "threads", "fds")
            held = {"caller": done, "worker": seen}
            self._held.append({who: {kind: one[kind] for kind in kinds} for who, one in held.items()})
        paced = (done.get("calls", []), seen.get("entries", []))
        return done["start_ns"], seen["last_ns"], paced, seen["right"] + seen["wrong"]


def in_turn(ways: dict[str, Way], between: Callable[[], object]) -> None:
    """Bursts of each way and then paced runs, one round after the other, with something between the rounds."""
    for way in ways.values():
        way.burst(way.plan.burst)
    for _ in range(max(way.plan.repeats for way in ways.values())):
        for way in ways.values():
            way.rates.append(way.burst(way.plan.burst))
        between()
    for _ in range(max(way.plan.repeats for way in ways.values())):
        for way in ways.values():
            way.delays.append(way.pace())


def websocket(stand: Bench, plan: Plan, name: str, wire: str, more: str = "") -> Way:
    """A caller with the server, and a worker."""
    caller = stand.caller(f"{name}-caller", CALLER % more)
    worker = stand.member(f"{name}-worker", WORKER % (more, caller.ready["servers"][NETWORK], wire))
    return Way(caller, worker, plan)


def redis(stand: Bench, plan: Plan, port: int) -> Way:
    """Two processes on a Redis server."""
    worker = stand.member("redis-worker", ON_REDIS % ("queen", port))
    return Way(stand.caller("redis-caller", ON_REDIS % ("caller", port)), worker, plan)


def original(stand: Bench, plan: Plan, python: str, redis_port: int) -> dict[str, Way]:
    """Callers and workers of 0.5.0."""
    ways = {}
    for name, more in (("websocket", ""), ("websocket_secret", SECRET)):
        port, rest = free_port(), ", endpoint: /pubsub"
        caller = ORIGINAL % ("fastapi", "caller", more, port, rest) + ORIGINAL_SERVER % port
        ways[name] = _pair(stand, plan, python, caller, ORIGINAL % ("fastapi", "queen", more, port, rest))
    if redis_port:
        texts = [ORIGINAL % ("redis", channel, "", redis_port, "") for channel in ("caller", "queen")]
        ways["redis"] = _pair(stand, plan, python, *texts)
    return ways


def _pair(stand: Bench, plan: Plan, python: str, caller: str, worker: str) -> Way:
    files = []
    for name, text in (("caller", caller), ("worker", worker)):
        files.append(stand.folder / f"original-{name}-{free_port()}.yaml")
        files[-1].write_text(text)
    calling = stand.foreign(python, "original.py", "caller", str(files[0]))
    taking = stand.foreign(python, "original.py", "member", str(files[1]))
    for child in (calling, taking):
        child.ready = child.answer()
    way = Way(calling, taking, plan)
    connected(way)
    return way


def connected(way: Way) -> None:
    """Wait until events get through: 0.5.0 does not say when it is connected, and loses what it calls before."""
    end = time.monotonic() + CONNECTED_S
    while not way.right:
        if time.monotonic() > end:
            raise BenchmarkError(f"no event of EventHive 0.5.0 arrived within {CONNECTED_S:g} s")
        way.burst(1)
    way.sent = way.right = way.wrong = 0


class Reference:
    """Requests and answers a second of bare `websockets`, one at a time."""

    def __init__(self, stand: Bench, plan: Plan):
        self.rates: list[float] = []
        self._count = plan.paced
        server = stand.python("reference.py", "serve")
        self._client = stand.python("reference.py", "ask")
        self._client.ask(connect=1, port=server.answer()["port"])

    def run(self) -> None:
        """One more."""
        done = self._client.ask(run=self._count, connections=1)
        self.rates.append(done["sent"] / (done["end_ns"] - done["start_ns"]) * 1e9)


def import_ms(times: int) -> float:
    """What the import takes, beside an interpreter that does nothing."""
    return median([_started("import eventhive") - _started("") for _ in range(times)], 1)


def _started(code: str) -> float:
    start = time.monotonic_ns()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return (time.monotonic_ns() - start) / 1e6


@contextmanager
def redis_server() -> Iterator[int | str]:
    """The port of a server, or why there is none; it outlives the processes on it."""
    if PROGRAM is None:
        yield f"not measured: {MISSING}"
    elif importlib.util.find_spec("redis") is None:
        yield "not measured: pip install 'eventhive[redis]'"
    else:
        with TemporaryDirectory() as folder:
            server = RedisServer(Path(folder)).start()
            try:
                yield server.port
            finally:
                server.kill()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    plan = QUICK if options.quick else FULL
    figures: dict[str, Any] = {}
    with redis_server() as port, bench() as stand:
        ways = {
            "websocket": websocket(stand, plan, "websocket", "classic"),
            "websocket_secret": websocket(stand, plan, "secret", "classic", SECRET),
            "websocket_lean": websocket(stand, plan, "lean", "auto"),
        }
        if isinstance(port, int):
            ways["redis"] = redis(stand, plan, port)
        else:
            figures["redis"] = port
        bare = Reference(stand, plan)
        in_turn(ways, bare.run)
        figures |= {name: way.figures() for name, way in ways.items()}
        figures["drift"] = {name: way.drift() for name, way in ways.items()}
        figures["reference_per_second"] = median(bare.rates)
        figures["reference_spread"] = spread(bare.rates)
        figures["original"] = of_original(options, port if isinstance(port, int) else 0, bare)
    figures["import_ms"] = import_ms(1 if options.quick else IMPORTS)
    figures["lost"] = sum(figures[name][key] for name in ways for key in ("lost", "out_of_order"))
    return figures


def of_original(options: argparse.Namespace, redis_port: int, bare: Reference) -> dict[str, Any] | str:
    """The figures of 0.5.0, on the same machine and in the same run; or why there are none."""
    python = Path(options.original)
    if not python.exists() or (python == DEFAULT_ORIGINAL and not (FOLDER / COMPLETE).exists()):
        return f"not measured: there is no {python}; python tests/hive/lib/original.py makes it"
    with bench() as stand:
        ways = original(stand, ORIGINAL_QUICK if options.quick else ORIGINAL_FULL, str(python), redis_port)
        in_turn(ways, bare.run)
        return {name: {**way.figures(), "drift": way.drift()} for name, way in ways.items()}


if __name__ == "__main__":
    support.main(
        measure, lambda parser: parser.add_argument("--original", default=str(DEFAULT_ORIGINAL), help=HELP)
    )
