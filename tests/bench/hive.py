"""Events a second from one process of a hive to another, and the time from a call to the entry of the hook.

The caller hosts the server; events have 40 bytes of JSON, and the hook checks number, order and content of each. A rate
is the events of one burst divided by the time from the first call to the entry of the last hook.

websocket            on the wire of 0.5.0: messages_per_second, lost, out_of_order, p50_ms, p99_ms (at 1,000 a second)
websocket_secret     the same, sealed as 0.5.0 does
redis                the same over a Redis server of this run; a line that says why where there is none
reference_per_second bare `websockets`: one connection with one request in flight
import_ms            `import eventhive` in a fresh interpreter, less an empty one
lost                 all events that did not reach the hook exactly once, in order and unaltered
"""

import importlib.util
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import support
from stand import FIRST, NETWORK, Bench, Child, bench
from support import median, percentile, spread

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hive" / "lib"))

from redis_server import MISSING, PROGRAM, RedisServer

ROOT = Path(__file__).resolve().parents[2]

RATE = 1000

CALLER = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: caller%s}
servers:
  my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: 0}}
"""
WORKER = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen%s, init: {host: 127.0.0.1, port: %d}}
"""
ON_REDIS = """
connectors:
  my-hive: {pubsub_type: redis, input_channel: %s, init: {host: 127.0.0.1, port: %d}}
"""
SECRET = ", secret: benchmark"


@dataclass(frozen=True)
class Plan:
    """How often a burst and a paced run are repeated, and how many events they have."""

    repeats: int
    burst: int
    paced: int
    imports: int


FULL = Plan(repeats=3, burst=100_000, paced=5_000, imports=10)
QUICK = Plan(repeats=1, burst=500, paced=100, imports=1)


class Way:
    """From a caller to the hook of a worker; counts what is lost."""

    def __init__(self, caller: Child, worker: Child):
        self.sent = self.right = self.wrong = 0
        self._caller, self._worker = caller, worker

    def run(self, count: int, rate: int = 0) -> tuple[float, list[float]]:
        """Send events and check them; events a second, and with a rate the delay of each in ms."""
        done = self._caller.ask(send=count, first=FIRST + self.sent, rate=rate)
        seen = self._worker.ask(expect=count, entries=bool(rate))
        self.sent += count
        self.right += seen["right"]
        self.wrong += seen["wrong"]
        complete = rate and seen["right"] == count and not seen["wrong"]
        pairs = zip(done["calls"], seen["entries"], strict=True) if complete else ()
        delays = [(entry - call) / 1e6 for call, entry in pairs]
        return count / (seen["last_ns"] - done["start_ns"]) * 1e9, delays


def websocket(stand: Bench, plan: Plan, name: str, more: str = "") -> dict[str, Any]:
    """The figures of a caller with the server, and a worker."""
    caller = stand.caller(f"{name}-caller", CALLER % more)
    worker = stand.member(f"{name}-worker", WORKER % (more, caller.ready["servers"][NETWORK]))
    return figures_of(Way(caller, worker), plan)


def redis(plan: Plan) -> dict[str, Any] | str:
    """The figures of two processes on a Redis server, or why there are none."""
    if PROGRAM is None:
        return f"not measured: {MISSING}"
    if importlib.util.find_spec("redis") is None:
        return "not measured: pip install 'eventhive[redis]'"
    # The server outlives the processes on it.
    with TemporaryDirectory() as folder:
        server = RedisServer(Path(folder)).start()
        try:
            with bench() as stand:
                worker = stand.member("redis-worker", ON_REDIS % ("queen", server.port))
                caller = stand.caller("redis-caller", ON_REDIS % ("caller", server.port))
                return figures_of(Way(caller, worker), plan)
        finally:
            server.kill()


def figures_of(way: Way, plan: Plan) -> dict[str, Any]:
    """Rates of bursts, then delays at a steady rate."""
    way.run(max(1, plan.burst // 4))
    rates = [way.run(plan.burst)[0] for _ in range(plan.repeats)]
    delays = [way.run(plan.paced, RATE)[1] for _ in range(plan.repeats)]
    figures: dict[str, Any] = {
        "messages_per_second": median(rates),
        "spread": spread(rates),
        "lost": way.sent - way.right,
        "out_of_order": way.wrong,
    }
    for key, percent in (("p50_ms", 50), ("p99_ms", 99)):
        values = [percentile(one, percent) for one in delays if one]
        figures[key] = median(values, 3) if values else None
    return figures


def reference(stand: Bench, plan: Plan) -> float:
    """Requests and answers a second of bare `websockets`, one at a time."""
    server = stand.python("reference.py", "serve")
    client = stand.python("reference.py", "ask")
    client.ask(connect=1, port=server.answer()["port"])
    rates = []
    for _ in range(plan.repeats):
        done = client.ask(run=plan.paced, connections=1)
        rates.append(done["sent"] / (done["end_ns"] - done["start_ns"]) * 1e9)
    return median(rates)


def import_ms(plan: Plan) -> float:
    """What the import takes, beside an interpreter that does nothing."""
    return median([_started("import eventhive") - _started("") for _ in range(plan.imports)], 1)


def _started(code: str) -> float:
    start = time.monotonic_ns()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return (time.monotonic_ns() - start) / 1e6


def measure(quick: bool) -> dict[str, Any]:
    """All figures."""
    plan = QUICK if quick else FULL
    with bench() as stand:
        plain = websocket(stand, plan, "websocket")
        sealed = websocket(stand, plan, "secret", SECRET)
        bare = reference(stand, plan)
    over_redis = redis(plan)
    redis_lost = over_redis["lost"] if isinstance(over_redis, dict) else 0
    return {
        "websocket": plain,
        "websocket_secret": sealed,
        "redis": over_redis,
        "reference_per_second": bare,
        "import_ms": import_ms(plan),
        "lost": plain["lost"] + sealed["lost"] + redis_lost,
    }


if __name__ == "__main__":
    support.main(measure)
