"""What happens in the checker: one fault after the other, and at the end a verdict."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .history import Mark, Verdict, judge
from .ports import free_port
from .relay import PtyRelay, Relay, TcpRelay
from .schedule import DRAIN_S, HIVE_LINKS, LINKS, Fault, schedule
from .world import Device, HivePorts, Program, World, resume

# Devices over a websocket, beside one on a serial line that changes to a websocket and back.
DEVICES = 3

# How often it is looked whether a session is back, or everything has arrived; and a process's use of memory.
LOOK_S = 0.02
SAMPLE_S = 1.0

T = TypeVar("T")


class Run:
    """One run in `folder`; `say(line)` is told of each fault, `kinds` may happen."""

    def __init__(self, folder: Path, seed: int, kinds: tuple[str, ...], sabotage: str, say: Callable[[str], None]):
        self.counts: Counter[str] = Counter()
        self.recovery_s: list[float] = []
        self.skipped: dict[str, str] = {}
        self._folder = folder
        self._seed = seed
        self._kinds = kinds
        self._sabotage = sabotage
        self._say = say
        self._first: dict[int, tuple[int, int]] = {}
        self._growth = [0, 0]
        self._world: World
        self._relays: list[Relay] = []
        self._hive_relays: list[TcpRelay] = []

    async def run(self, seconds: float, faults: int, drain_s: float = DRAIN_S) -> dict[str, Any]:
        """Inject faults for so long, or so many; returns what came of it."""
        await self._begin()
        try:
            end = time.monotonic() + seconds
            for fault in schedule(self._seed, self._kinds):
                if time.monotonic() > end or self.counts.total() >= faults:
                    break
                await asyncio.sleep(fault.after)
                await self._inject(fault)
                self._sample()
                for device in self._world.devices:
                    device.check()
            verdict = await self._drain(drain_s)
        finally:
            self._world.stop()
            for relay in (*self._relays, *self._hive_relays):
                relay.close()
        return self._result(verdict)

    async def _begin(self) -> None:
        serial = PtyRelay()
        hive = free_port()
        self._hive_relays = [TcpRelay(hive), TcpRelay(hive)]
        for relay in self._hive_relays:
            await relay.start()
        ports = HivePorts(hive, *[relay.port for relay in self._hive_relays])
        self._world = world = World(self._folder, self._sabotage, [serial.ends[0]], ports)
        network = TcpRelay(world.device_port)
        await network.start()
        self._relays = [network, serial]
        websocket = {"type": "websocket", "host": "127.0.0.1", "port": network.port}
        for number in range(1, DEVICES):
            world.add(f"device-{number}", [websocket])
        world.add(f"device-{DEVICES}", [{"type": "serial", "device": serial.ends[1]}, websocket])
        if world.disk_problem and "disk-full" in self._kinds:
            self.skipped["disk-full"] = world.disk_problem
            self._kinds = tuple(kind for kind in self._kinds if kind != "disk-full")
        await asyncio.to_thread(world.start)
        await self._sessions()

    async def _inject(self, fault: Fault) -> None:
        kind = fault.kind
        self.counts[kind] += 1
        self._say(f"fault {self.counts.total()}: {kind}")
        if kind in LINKS:
            await self._harm(_picked(self._relays, fault), kind, fault.hold)
        elif kind in HIVE_LINKS:
            await self._harm_hive(_picked(self._hive_relays, fault), kind, fault.hold)
        elif kind.startswith("gateway"):
            await self._hit(self._world.gateway, fault)
        elif kind.startswith("hive"):
            await self._hit(self._world.hive, fault)
        elif kind.startswith("hook"):
            await self._hit(self._world.hooks, fault)
        elif kind == "disk-full":
            self._world.fill_disk()
            await asyncio.sleep(fault.hold)
            self._world.free_disk()
        elif kind == "clock-jump":
            self._world.gateway.signal(signal.SIGUSR1)
        else:
            await self._restart(fault)

    async def _harm(self, relay: Relay, kind: str, hold: float) -> None:
        relay.harm.kind = kind
        await asyncio.sleep(hold)
        relay.harm.kind = ""
        if kind == "cut":
            relay.cut()

    async def _harm_hive(self, relay: TcpRelay, kind: str, hold: float) -> None:
        if kind == "hive-black-hole":
            # It holds until both ends have noticed, behind other faults.
            relay.swallow()
        else:
            await self._harm(relay, kind.removeprefix("hive-"), hold)

    async def _hit(self, program: Program, fault: Fault) -> None:
        if fault.kind.endswith("stop"):
            program.signal(signal.SIGSTOP)
            await asyncio.sleep(fault.hold)
            resume(program)
            return
        program.kill()
        await asyncio.sleep(fault.hold)
        await asyncio.to_thread(program.start)
        if program is self._world.gateway:
            # Now, because until here the hooks could be given what the one before has sent.
            self._world.hooks.note(Mark.GATEWAY_KILLED)
            began = time.monotonic()
            await self._sessions()
            self.recovery_s.append(round(time.monotonic() - began, 3))

    async def _restart(self, fault: Fault) -> None:
        devices = self._world.devices
        device: Device = devices[-1] if fault.kind == "carrier-change" else _picked(devices, fault)
        device.kill()
        if fault.kind == "carrier-change":
            device.change_link()
        device.stuck = fault.kind == "stuck-random"
        await asyncio.sleep(fault.hold)
        device.start()

    async def _sessions(self) -> None:
        """Wait until all devices are there."""
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end:
            found = await asyncio.to_thread(self._world.ask, "devices")
            if found is not None and len([one for one in found if one["online"]]) == len(self._world.devices):
                return
            await asyncio.sleep(LOOK_S)

    async def _drain(self, seconds: float) -> Verdict:
        """Let everything arrive that is to, and judge."""
        world = self._world
        for device in world.devices:
            device.finish()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = await asyncio.to_thread(world.ask, "networks")
            verdict = self._verdict()
            if found is not None and not found["my-hive"]["events"] and not verdict.lost and await self._quiet():
                break
            await asyncio.sleep(LOOK_S)
        self._sample()
        return self._verdict()

    async def _quiet(self) -> bool:
        """True when no device has anything more to be acknowledged."""
        before = self._verdict()
        await asyncio.sleep(SAMPLE_S)
        after = self._verdict()
        return (before.acknowledged, before.delivered) == (after.acknowledged, after.delivered)

    def _verdict(self) -> Verdict:
        # The hooks' history first would miss what is acknowledged in between.
        acknowledged = {device.name: device.acknowledged() for device in self._world.devices}
        return judge(acknowledged, self._world.hooks.history())

    def _sample(self) -> None:
        pid = self._world.gateway.process.pid
        usage = self._world.usage()
        first = self._first.setdefault(pid, usage)
        self._growth = [max(most, now - then) for most, now, then in zip(self._growth, usage, first, strict=True)]

    def _result(self, verdict: Verdict) -> dict[str, Any]:
        times = sorted(self.recovery_s)
        return {
            "seed": self._seed,
            "faults": dict(sorted(self.counts.items())),
            "faults_total": self.counts.total(),
            "skipped": self.skipped,
            "acknowledged": verdict.acknowledged,
            "delivered": verdict.delivered,
            "redelivered": verdict.redelivered,
            "lost": verdict.lost,
            "duplicated": verdict.duplicated,
            "reordered": verdict.reordered,
            "rss_growth_bytes": self._growth[0],
            "fd_growth": self._growth[1],
            "recovery_s": {"median": times[len(times) // 2], "max": times[-1]} if times else None,
            "offences": verdict.faults[:3],
        }


def _picked(some: list[T], fault: Fault) -> T:
    return some[int(fault.pick * len(some))]
