"""What a flood of strangers costs the devices of a gateway, and the gateway.

50 devices of one process send as in link_throughput.py (32 events outstanding, one event a message) to a gateway in a
process of its own. Meanwhile a third process makes RATE attempts a second, of one kind after the other:

connect_close   connect and close
half_open       connect, and say nothing until the gateway hangs up
upgrade_silent  upgrade, and say nothing
garbage         upgrade, and a first flight that is none
wrong_key       upgrade, the hello of an enrolled device, and a record under another key

The attempts come from 16 loopback addresses, so that no limit for one address ends them; up to HELD are open at a time,
more than the gateway lets in. Where it can be chosen, the gateway has a core of its own; devices and flooder share
another one. So a flood takes from the devices what the flooder needs, and from the gateway what it costs there. In the
rounds of `control`, the flood goes to a listener on the core of the devices instead, which does next to nothing.

undisturbed_per_second     events a second without a flood
control_per_second         by kind: while the flood goes to the other listener
flooded_per_second         by kind: while it goes to the gateway
loss_percent               by kind: of flooded to undisturbed, each round with its own; worst_percent: the most
loss_to_control_percent    by kind: of flooded to control: below 0 where that listener cost the devices more
flood_attempts_per_second  by kind, at the gateway
gateway_us_per_attempt     by kind: processor time of the gateway beyond that for its events, by attempt
gateway_core_percent       by kind: the same at that many attempts a second, of one core
rss_growth_bytes           resident memory of the gateway, while no device sends: from after REST_S seconds of each kind
                           to after two more times that much
fd_growth                  descriptors of the gateway, from before the first flood to after the last
lost                       events that did not reach the hook exactly once, in order and unaltered
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import support
from link_throughput import DEVICES, QUICK, Plan, Run, Shape, Way, enrolled
from stand import Bench, Child
from support import BenchmarkError, median, spread

SHAPE = Shape(DEVICES, 32, 0, 20_000)
# Short and many: what else a machine does comes and goes within seconds.
REPEATS = 9

# What one host sends without a special program: as much as a fleet of a thousand boards that all start within a second.
RATE = 1000
HELD = 1500

# As flooder.py knows them.
KINDS = ("connect_close", "half_open", "upgrade_silent", "garbage", "wrong_key")

# Longer than the gateway waits for a stranger, so that the places of strangers are taken and free again.
REST_S = 6.0
RESTS = 3

# Strangers that the gateway still has after a flood are gone by then: their deadline, and that of a close frame.
EXPIRED_S = 15.0
LOOK_S = 0.2


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started in here runs on one core, where that can be chosen and there are two."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(own)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


class Scene:
    """The processes, and the rounds between them."""

    def __init__(self, stand: Bench, plan: Plan):
        self._plan = plan
        with on_core(0):
            self._gateway: Child = stand.gateway()
        with on_core(1):
            self.way = Way(stand, self._gateway)
            self._flooder = stand.python("flooder.py")
            dummy = stand.python("flooder.py", "serve").answer()["port"]
        self._ports = {"control": dummy, "gateway": stand.gateway_port()}
        self.way.run(plan.warm(SHAPE))
        self._descriptors = self.held()["fds"]

    def undisturbed(self) -> Run:
        """A round without a flood, when nothing is left of the one before."""
        self.held_at_rest()
        return self._run()

    def flooded(self, kind: str, target: str) -> tuple[Run, dict[str, Any]]:
        """A round with one: what came of it, and what the flooder says."""
        self.held_at_rest()
        self._flooder.ask(flood=kind, port=self._ports[target], rate=RATE, held=HELD)
        run = self._run()
        return run, self._flooder.ask(end=True)

    def _run(self) -> Run:
        # After a pause, the first events are slow.
        self.way.run(self._plan.warm(SHAPE))
        return self.way.run(self._plan.full(SHAPE))

    def held(self) -> dict[str, Any]:
        """What the gateway's process holds."""
        return self._gateway.ask(expect=0)

    def flood_alone(self, kind: str, seconds: float) -> None:
        """A flood while no device sends."""
        self._flooder.ask(flood=kind, port=self._ports["gateway"], rate=RATE, held=HELD)
        time.sleep(seconds)
        self._flooder.ask(end=True)

    def held_at_rest(self) -> dict[str, Any]:
        """The same once all strangers are gone, or should be."""
        end = time.monotonic() + EXPIRED_S
        held = self.held()
        while held["fds"] > self._descriptors and time.monotonic() < end:
            time.sleep(LOOK_S)
            held = self.held()
        return held


class Rounds:
    """Collects what came of all rounds of one kind."""

    def __init__(self) -> None:
        self.rates: dict[str, list[float]] = {"undisturbed": [], "control": [], "flooded": []}
        self.attempts: list[float] = []
        # What it costs the gateway, in seconds of one core a second.
        self.cores: list[float] = []

    def add(self, undisturbed: Run, control: Run, flooded: Run, flood: dict[str, Any]) -> None:
        """One round of each."""
        for name, run in (("undisturbed", undisturbed), ("control", control), ("flooded", flooded)):
            self.rates[name].append(run.rate)
        self.attempts.append(flood["attempts"] / flood["seconds"])
        self.cores.append((flooded.cpu_us[1] - undisturbed.cpu_us[1]) * flooded.rate / 1e6)

    def us_per_attempt(self) -> float:
        """At the gateway."""
        return median([core / rate * 1e6 for core, rate in zip(self.cores, self.attempts, strict=True)])

    def loss(self, reference: str) -> float:
        """Per cent that a flood takes from a rate, each round with the one beside it."""
        pairs = zip(self.rates["flooded"], self.rates[reference], strict=True)
        return median([100 - flooded / other * 100 for flooded, other in pairs], 1)


def growth(scene: Scene, plan: Plan) -> dict[str, int]:
    """What the gateway holds more after many strangers than after some."""
    before = scene.held()["fds"]
    rss = []
    for _ in range(RESTS):
        for kind in KINDS:
            scene.flood_alone(kind, REST_S if plan.repeats > 1 else 0)
        last = scene.held_at_rest()
        rss.append(last["rss"])
    return {"rss_growth_bytes": rss[-1] - rss[0], "fd_growth": last["fds"] - before}


def rounds(scene: Scene, plan: Plan) -> dict[str, Rounds]:
    """All rounds, those that are compared one after the other."""
    table = {kind: Rounds() for kind in KINDS}
    for _ in range(plan.repeats):
        for kind, one in table.items():
            undisturbed = scene.undisturbed()
            control, _ = scene.flooded(kind, "control")
            one.add(undisturbed, control, *scene.flooded(kind, "gateway"))
    return table


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    if not os.path.isdir("/proc/self/fd"):
        raise BenchmarkError("memory and descriptors of a process are read from /proc, which is not there")
    plan = Plan(1, QUICK) if options.quick else Plan(REPEATS, 1)
    with enrolled() as stand:
        scene = Scene(stand, plan)
        grown = growth(scene, plan)
        table = rounds(scene, plan)
        lost = scene.way.lost
    calm = [rate for one in table.values() for rate in one.rates["undisturbed"]]
    losses = {kind: one.loss("undisturbed") for kind, one in table.items()}
    return {
        "undisturbed_per_second": median(calm),
        "control_per_second": {kind: median(one.rates["control"]) for kind, one in table.items()},
        "flooded_per_second": {kind: median(one.rates["flooded"]) for kind, one in table.items()},
        "loss_percent": losses,
        "worst_percent": max(losses.values()),
        "loss_to_control_percent": {kind: one.loss("control") for kind, one in table.items()},
        "flood_attempts_per_second": {kind: median(one.attempts) for kind, one in table.items()},
        "gateway_us_per_attempt": {kind: one.us_per_attempt() for kind, one in table.items()},
        "gateway_core_percent": {kind: median([core * 100 for core in one.cores], 1) for kind, one in table.items()},
        **grown,
        "lost": lost,
        "spread": {"undisturbed": spread(calm), **{kind: spread(one.rates["flooded"]) for kind, one in table.items()}},
    }


if __name__ == "__main__":
    support.main(measure)
