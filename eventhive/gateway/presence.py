"""Availability joined to the rest of a gateway: sessions in, events of networks out."""

import time
from collections.abc import Mapping
from typing import Any

from .announcer import Announcer, channels_of
from .availability import Availability, Payload
from .bridge import Bridge
from .device import Device


class Presence:
    """Keeps the availability of the devices of a bridge; `config` is a whole configuration with its `gateway`."""

    def __init__(self, bridge: Bridge, config: Any):
        self._devices = bridge.devices
        self._networks: Mapping[str, Any] = bridge.networks
        gateway = config.gateway
        self._announcer = Announcer(*self._served(config), self._publishes)
        clock_ms = bridge.devices.clock_ms
        self.states = Availability(gateway.availability, clock_ms, time_ms, self._announcer.tell)
        self.configure(gateway.availability)
        bridge.joined = self._joined
        bridge.devices.left = self._left

    def configure(self, config: Any) -> None:
        """Take over the section `availability:`."""
        self._announcer.told = config.told
        self.states.limit(config)

    def serve(self, config: Any) -> None:
        """Tell the networks of a configuration, which are all there, and no others."""
        known = {name: payload for name in self.states.known if (payload := self.states.told(name)) is not None}
        self._announcer.serve(*self._served(config), known)

    def enrol(self) -> None:
        """The key file was read."""
        self.states.enrol(self._devices.by_name)

    def tick(self) -> None:
        """Let time pass."""
        self.states.tick()
        self._announcer.tick()

    def of(self, device: Device) -> Payload:
        """What `eventhive gateway status` and the page know of a device."""
        found = self.states.payload(device.name) or {}
        if device.session is not None and found:
            found["last_seen"] = (time_ms() - device.session.silent_ms) / 1000
        return found

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


def time_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
