"""Tells networks of the devices of a gateway: events `<network>/<gateway>/device`, which say how one is, and others.

Rules of this file:
1. No I/O and no clock. A network is told of the devices that may publish on it; all are told of one that may publish
   nowhere.
2. What happens while a network is away is told when it is back: the last of each device, not what was in between.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ..core.errors import LimitError
from ..core.globs import glob_match
from ..core.names import SEPARATOR

EVENT = "device"

# The channel of a gateway where neither its name nor an input channel is configured.
GATEWAY = "gateway"

Payload = dict[str, Any]


class Network(Protocol):
    """What an announcer needs of a network."""

    @property
    def connected(self) -> bool:
        """True while events get away."""

    def publish(self, topic: str, data: Any, origin: object = None, confirm: Callable[[], None] | None = None) -> bool:
        """Pass an event on; `LimitError` when no more can wait."""


class Announcer:
    """`channels` are the channels of the gateway by network; `publishes(device)` gives the globs of what it may send.

    While `told` is false, nobody is told how devices are.
    """

    def __init__(
        self,
        networks: Mapping[str, Network],
        channels: Mapping[str, str],
        publishes: Callable[[str], Iterable[str]],
    ):
        self.told = True
        self._networks = networks
        self._channels = channels
        self._publishes = publishes
        self._missed: dict[str, dict[str, Payload]] = {name: {} for name in networks}

    def serve(self, networks: Mapping[str, Network], channels: Mapping[str, str], known: Mapping[str, Payload]) -> None:
        """Tell these networks from now on; those that are new, first of all devices as they are `known`."""
        missed = {name: self._missed.get(name, {}) for name in networks}
        for device, payload in known.items() if self.told else ():
            globs = list(self._publishes(device))
            for name in networks.keys() - self._networks.keys():
                if _concerns(name, globs):
                    missed[name][device] = payload
        self._networks, self._channels, self._missed = networks, channels, missed
        self.tick()

    def tell(self, device: str, payload: Payload) -> None:
        """Tell all networks that it concerns how a device is."""
        if not self.told:
            return
        for name in self._concerned(device):
            # Anew at the end, so that they are told in the order in which they happened.
            self._missed[name].pop(device, None)
            self._missed[name][device] = payload
        self.tick()

    def say(self, device: str, event: str, payload: Payload) -> None:
        """Tell the networks that it concerns, and that are there, something of a device that nobody waits for."""
        for name in self._concerned(device):
            if self._networks[name].connected:
                with contextlib.suppress(LimitError):
                    self._publish(name, event, payload)

    def tick(self) -> None:
        """Tell networks that are back what they have missed."""
        for name, missed in self._missed.items():
            network = self._networks[name]
            while missed and network.connected:
                device = next(iter(missed))
                try:
                    self._publish(name, EVENT, missed[device])
                except LimitError:
                    # It is full, and will be asked again.
                    break
                del missed[device]

    def _concerned(self, device: str) -> list[str]:
        globs = list(self._publishes(device))
        return [name for name in self._networks if _concerns(name, globs)]

    def _publish(self, network: str, event: str, payload: Payload) -> None:
        self._networks[network].publish(SEPARATOR.join((network, self._channels[network], event)), dict(payload))


def _concerns(network: str, globs: list[str]) -> bool:
    """True where a network is told of a device that may publish what these globs match."""
    return not globs or any(glob_match(network, glob.partition(SEPARATOR)[0]) for glob in globs)


def channels_of(name: str, connectors: Mapping[str, Any]) -> dict[str, str]:
    """The channel of a gateway on each network: its name, or the input channel that it has there."""
    return {network: name or one.input_channel or GATEWAY for network, one in connectors.items()}
