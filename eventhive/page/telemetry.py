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

# What is left of a lag after each sample.
FADING = 0.9

# Below so many events a second, a rate is shown as none.
STILL = 0.01

# Events that are noted: more than anybody reads, and enough for a histogram. Each takes some 3 us, which is a fifth of
# what a gateway needs for an event; where there are more, those of a device that was not noted for a second come first.
NOTED_PER_S = 5000
PART_S = 0.1
PART = int(NOTED_PER_S * PART_S)
SELDOM_S = 1.0

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
    """Of all devices and networks, by their names.

    `left_out` events were not noted, because there were too many. `lag_s` is by how much the loop was late lately: the
    worst of it, which fades within half a minute.
    """

    devices: dict[str, Noted] = field(default_factory=dict)
    of_device: dict[str, Histogram] = field(default_factory=dict)
    of_network: dict[str, Histogram] = field(default_factory=dict)
    left_out: int = 0
    lag_s: float = 0.0
    _timers: dict[str, dict[str, Timer]] = field(default_factory=dict)
    _noted: dict[str, float] = field(default_factory=dict)
    _left: int = 0
    _until: float = 0.0

    def notes(self, device: str, now: float) -> bool:
        """True where the next event of a device is to be noted; false counts it as left out."""
        if not 0 < self._until - now <= PART_S:
            self._until, self._left = now + PART_S, PART
        if self._left > 0:
            self._left -= 1
        elif 0 <= now - self._noted.get(device, 0.0) < SELDOM_S:
            self.left_out += 1
            return False
        self._noted[device] = now
        return True

    def sample(self, devices: Iterable[tuple[str, int]], elapsed_s: float) -> None:
        """Look at all devices (see `Source.pulse`), `elapsed_s` after the last time."""
        self.lag_s = max(elapsed_s - SAMPLE_S, self.lag_s * FADING, 0.0)
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
            self._noted.pop(name, None)
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
