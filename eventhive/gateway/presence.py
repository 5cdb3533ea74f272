"""What a gateway knows and tells of its devices, joined to the rest of it: sessions and consoles in, events out."""

import time
from collections.abc import Mapping
from typing import Any

from .announcer import Announcer, channels_of
from .availability import Availability, Payload
from .bridge import Bridge
from .console_events import ConsoleEvents
from .crashes import Crash
from .device import Device
from .remembered import Memory


class Presence:
    """Keeps availability and last crashes of the devices of a bridge, and passes on what they print.

    `config` is a whole configuration with its `gateway`.
    """

    def __init__(self, bridge: Bridge, config: Any):
        self._devices = bridge.devices
        self._networks: Mapping[str, Any] = bridge.networks
        gateway = config.gateway
        self._announcer = Announcer(*self._served(config), self._publishes)
        clock_ms = bridge.devices.clock_ms
        self.states = Availability(gateway.availability, clock_ms, time_ms, self._tell)
        self.console = ConsoleEvents(bridge.seconds, self._announcer.say)
        self.memory = Memory(gateway.state)
        self._restored = False
        self.configure(gateway)
        bridge.joined = self._joined
        bridge.printed = self.console.printed
        bridge.crashed = self._crashed
        bridge.devices.left = self._left

    def configure(self, gateway: Any) -> None:
        """Take over what a configuration says of it."""
        self.console.told = gateway.console_events
        self._announcer.told = gateway.availability.told
        self.states.limit(gateway.availability)

    def serve(self, config: Any) -> None:
        """Tell the networks of a configuration, which are all there, and no others."""
        known = {name: payload for name in self.states.known if (payload := self.states.told(name)) is not None}
        self._announcer.serve(*self._served(config), known)

    def enrol(self) -> None:
        """The key file was read."""
        names = self._devices.by_name
        self.states.enrol(names)
        self.memory.keep(names)
        self.console.keep(names)
        if not self._restored:
            self._restored = True
            for name, facts in self.memory.facts.items():
                self.states.restore(name, _seconds(facts.get("seen")), _seconds(facts.get("wakes")) or 0)

    def tick(self) -> None:
        """Let time pass."""
        self.states.tick()
        self._announcer.tick()

    async def stop(self) -> None:
        """Keep what is known, when all sessions have ended."""
        for name in self.states.known:
            payload = self.states.payload(name)
            if payload is not None:
                self.memory.change(name, seen=payload["last_seen"])
        await self.memory.stop()

    def of(self, device: Device) -> Payload:
        """What `eventhive gateway status` and the page know of a device."""
        found = self.states.payload(device.name) or {}
        if device.session is not None and found:
            found["last_seen"] = (time_ms() - device.session.silent_ms) / 1000
        return {**found, "crash": self.memory.of(device.name).get("crash")}

    def _tell(self, name: str, payload: Payload) -> None:
        self.memory.change(name, seen=payload["last_seen"], wakes=payload["wakes"])
        self._announcer.tell(name, payload)

    def _crashed(self, device: str, port: str, crash: Crash) -> None:
        self.memory.change(device, crash={"time": time_ms() / 1000, "port": port, **crash._asdict()})

    def _served(self, config: Any) -> tuple[dict[str, Any], dict[str, str]]:
        networks = {name: self._networks[name] for name in config.connectors if name in self._networks}
        return networks, channels_of(config.gateway.name, config.connectors)

    def _publishes(self, name: str) -> tuple[str, ...]:
        device = self._devices.by_name.get(name)
        return device.rights.publish if device is not None else ()

    def _joined(self, device: Device) -> None:
        if device.carrier is not None:
            self.states.up(device.name, device.carrier.kind, device.carrier.address)

    def _left(self, device: Device, session: Any, why: str) -> None:
        self.states.down(device.name, why, device.asleep_until, device.clock_ms() - session.silent_ms)


def _seconds(value: object) -> float | None:
    return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]


def time_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
