"""What the page notes of devices: how fast they send, how long their events took.

Rules of this file: no I/O; every time is given, in seconds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .prometheus import Histogram, place_of

Timer = Callable[[float], None]

# How often the devices are looked at.
SAMPLE_S = 1.0

# How much of a rate is that of the last sample: it follows within some five seconds, and does not flicker.
WEIGHT = 0.3

# Below so many events a second, a rate is shown as none.
STILL = 0.01

# Devices with a label of their own: each has some thirty lines of metrics, so that a scrape stays below 2 MB.
MAX_LABELS = 500
OTHERS = "(others)"


@dataclass
class Noted:
    """What is noted of one device: how many events it sent, and how many a second."""

    events: int = 0
    rate: float = 0.0


@dataclass
class Telemetry:
    """Of all devices and networks, by their names."""

    devices: dict[str, Noted] = field(default_factory=dict)
    of_device: dict[str, Histogram] = field(default_factory=dict)
    of_network: dict[str, Histogram] = field(default_factory=dict)
    _timers: dict[str, dict[str, Timer]] = field(default_factory=dict)

    def sample(self, devices: Iterable[tuple[str, int]], elapsed_s: float) -> None:
        """Look at all devices (see `Source.pulse`), `elapsed_s` after the last time."""
        gone = set(self.devices)
        for name, events in devices:
            gone.discard(name)
            known = self.devices.get(name)
            if known is None:
                known = self.devices[name] = Noted(events)
            new = max(events - known.events, 0) / max(elapsed_s, SAMPLE_S / 2)
            rate = known.rate + WEIGHT * (new - known.rate)
            known.rate = rate if rate >= STILL else 0.0
            known.events = events
        for name in gone:
            del self.devices[name]
            self.of_device.pop(name, None)
            self._timers.pop(name, None)

    def timer(self, device: str, network: str) -> Timer:
        """Call it for each event of a device: how many seconds until it is where it has to be."""
        timers = self._timers.get(device)
        if timers is None:
            timers = self._timers[device] = {}
        timer = timers.get(network)
        if timer is None:
            timer = timers[network] = self._new_timer(device, network)
        return timer

    def _new_timer(self, device: str, network: str) -> Timer:
        if device not in self.of_device and len(self.of_device) >= MAX_LABELS:
            device = OTHERS
        one = self.of_device.setdefault(device, Histogram())
        other = self.of_network.setdefault(network, Histogram())

        def took(seconds: float) -> None:
            place = place_of(seconds)
            one.observe(seconds, place)
            other.observe(seconds, place)

        return took
