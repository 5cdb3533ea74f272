"""Whether each device is online, offline or asleep, as others are told; `Known` is what is told of one.

Rules of this file:
1. No I/O and no clock of its own. `clock_ms()` is a clock that nobody sets, and decides; `time_ms()` is the time of
   day, and is only shown. Whoever injects both can have a year pass in a loop of `tick`.
2. Online is told at once, and so is the sleep that a device has announced. Offline is told when it is certain: the
   device has been away for the grace, or has overslept.
3. A device that loses its connection again and again is flapping, which is told; then it has a longer grace.
4. Nobody is told anything of a device before its state is known: it is unknown until it came, or was waited for.

    availability = Availability(AvailabilityConfig(), clock_ms, time_ms, tell)  # tell(device, payload): `Known.payload`
    availability.enrol(["sensor-1"])                                 # all that there are; whoever is missing is removed
    availability.up("sensor-1", "websocket", "192.0.2.7:50112")      # a session has begun
    availability.down("sensor-1", "why", wakes_ms, heard_ms)         # it is over; on `clock_ms`: it wakes, was heard
    availability.tick()                                              # now and then: what is due is told
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

ONLINE = "online"
OFFLINE = "offline"
ASLEEP = "asleep"
UNKNOWN = "unknown"

# How long a gateway waits for each device at its start: devices try again at least every 30 s (`core/backoff.py`).
START_S = 45

# What is added to `oversleep` of the time that one sleeps, one part in so many: the clocks that boards sleep by are off
# by up to 5 %.
OVERSLEEP_PART = 10

# From so many lost connections within an hour on, a device is flapping, until there was none for half an hour.
FLAPS = 5
FLAP_WINDOW_S = 3600
CALM_S = 1800
# It is away then when it does not come back for this long: at most twelve pairs of events an hour.
FLAPPING_GRACE_S = 300

# Two events of one device are so far apart at least: one that connects and leaves in a loop floods no network.
APART_MS = 1000

NOT_SEEN = "not seen since the gateway was started"
NEVER_SEEN = "not seen since it was enrolled"
SLEPT_BEFORE = "asleep, as it said before the gateway was started"
CONNECTED = "connected"
REMOVED = "it was removed from the key file"

Payload = dict[str, Any]
Clock = Callable[[], int]

logger = logging.getLogger("eventhive.gateway")


class Limits(Protocol):
    """Seconds, see `AvailabilityConfig`."""

    @property
    def grace(self) -> int:
        """How long a device may be away before it is offline."""

    @property
    def oversleep(self) -> int:
        """How much later than announced one may wake."""


class Known:
    """One device. Times are those of a clock that nobody sets, in milliseconds; None where there was nothing yet.

    `state` is what was told last, `since_ms` when that began, `flaps` how many connections were lost since then.
    `seen_ms` is when it was last heard, where it is not connected.
    """

    __slots__ = (
        *("address", "away_ms", "connected", "flapping", "flaps", "link", "losses", "reason", "seen_ms"),
        *("since_ms", "slept_ms", "state", "told_flapping", "told_ms", "up_ms", "wakes_ms", "why"),
    )

    def __init__(self, now_ms: int, why: str):
        self.state = UNKNOWN
        self.connected = self.flapping = self.told_flapping = False
        self.link = self.address = ""
        self.flaps = 0
        self.losses: tuple[int, ...] = ()
        # Why it is away; and the reason that was told with the state.
        self.why = why
        self.reason = ""
        self.since_ms = self.away_ms = self.up_ms = now_ms
        self.seen_ms: int | None = None
        self.told_ms: int | None = None
        self.slept_ms = now_ms
        self.wakes_ms = 0

    def payload(self, name: str, date: Callable[[int], float], now_ms: int) -> Payload:
        """What is told of it; `date` makes seconds since 1970 of times."""
        seen_ms = now_ms if self.connected else self.seen_ms
        return {
            "device": name,
            "state": self.state,
            "since": date(self.since_ms),
            "last_seen": date(seen_ms) if seen_ms is not None else None,
            "reason": self.reason,
            "link": self.link or None,
            "address": self.address or None,
            "wakes": date(self.wakes_ms) if self.state == ASLEEP and self.wakes_ms else None,
            "flapping": self.flapping,
            "flaps": self.flaps,
        }


class Availability:
    """The states of all devices; `tell(device, payload)` is called for each change."""

    def __init__(self, limits: Limits, clock_ms: Clock, time_ms: Clock, tell: Callable[[str, Payload], object]):
        self.limits = limits
        self.known: dict[str, Known] = {}
        self._clock_ms = clock_ms
        self._time_ms = time_ms
        self._tell = tell
        # When something may change without anything happening.
        self._due: dict[str, int] = {}
        self._started = False

    def limit(self, limits: Limits) -> None:
        """Take over other limits, for those too that are away."""
        self.limits = limits
        for name, one in self.known.items():
            self._look(name, one)

    def enrol(self, names: Iterable[str]) -> None:
        """These devices there are. What is told of one that is removed is that it is offline."""
        wanted = dict.fromkeys(names)
        for name in [one for one in self.known if one not in wanted]:
            self._remove(name)
        for name in wanted:
            if name not in self.known:
                self._new(name)
        self._started = True

    def up(self, name: str, link: str, address: str) -> None:
        """A device has a session from now on."""
        one = self.known.get(name) or self._new(name)
        one.connected, one.link, one.address, one.wakes_ms = True, link, address, 0
        one.up_ms = self._clock_ms()
        self._look(name, one)

    def down(self, name: str, reason: str, wakes_ms: int = 0, heard_ms: int | None = None) -> None:
        """The session of a device is over; without effect where it has none.

        `wakes_ms` is when it will be awake, if it said so, `heard_ms` when it was last heard, both of the clock.
        """
        one = self.known.get(name)
        if one is None or not one.connected:
            return
        now = self._clock_ms()
        one.connected, one.away_ms, one.why = False, now, reason
        one.seen_ms = now if heard_ms is None else heard_ms
        one.slept_ms, one.wakes_ms = now, wakes_ms
        if not wakes_ms:
            self._lost(name, one, now)
        self._look(name, one)

    def restore(self, name: str, seen: float | None, wakes: float) -> None:
        """What is known of a device from before this start, in seconds since 1970; `wakes` 0: it was not asleep."""
        one = self.known.get(name)
        if one is None or one.connected:
            return
        now, date = self._clock_ms(), self._time_ms()
        one.seen_ms = now - max(date - round(seen * 1000), 0) if seen is not None else None
        if wakes and one.seen_ms is not None:
            one.slept_ms = one.away_ms = one.seen_ms
            one.wakes_ms, one.why = now - date + round(wakes * 1000), SLEPT_BEFORE
        self._look(name, one)

    def tick(self) -> None:
        """Let time pass."""
        now = self._clock_ms()
        for name in [name for name, due in self._due.items() if due <= now]:
            self._look(name, self.known[name])

    def payload(self, name: str) -> Payload | None:
        """What is known of a device, as it is told; None where there is no such device."""
        one = self.known.get(name)
        return one.payload(name, self._date, self._clock_ms()) if one is not None else None

    def told(self, name: str) -> Payload | None:
        """What whoever was told of a device knows; None where nobody was told anything yet."""
        return self.payload(name) if name in self.known and self.known[name].state != UNKNOWN else None

    # The rest is private.

    def _new(self, name: str) -> Known:
        now = self._clock_ms()
        one = self.known[name] = Known(now, NEVER_SEEN if self._started else NOT_SEEN)
        self._look(name, one)
        return one

    def _remove(self, name: str) -> None:
        one = self.known.pop(name)
        self._due.pop(name, None)
        if one.state not in (OFFLINE, UNKNOWN):
            one.connected = False
            one.seen_ms = one.seen_ms or self._clock_ms()
            one.why = REMOVED
            self._change(name, one, OFFLINE, self._clock_ms())

    def _lost(self, name: str, one: Known, now: int) -> None:
        one.flaps += 1
        one.losses = (*one.losses, now)[-FLAPS:]
        if not one.flapping and len(one.losses) == FLAPS and now - one.losses[0] <= FLAP_WINDOW_S * 1000:
            one.flapping = True
            logger.warning(
                "device %s: flapping: it lost its connection %d times within %d min, now: %s",
                *(name, FLAPS, (now - one.losses[0]) // 60_000 + 1, one.why),
            )

    def _look(self, name: str, one: Known) -> None:
        """Tell what has changed, and note when to look again."""
        now = self._clock_ms()
        state, due = self._wanted(one, now)
        dues = [due] if due is not None else []
        if one.flapping:
            calm = one.losses[-1] + CALM_S * 1000
            if now >= calm:
                one.flapping = False
                one.losses = ()
            else:
                dues.append(calm)
        # That one which is away has calmed down is no news.
        if state != one.state or (one.flapping != one.told_flapping and state == ONLINE):
            apart = now if one.told_ms is None else one.told_ms + APART_MS
            if now >= apart:
                self._change(name, one, state, now)
            else:
                dues.append(apart)
        if dues:
            self._due[name] = min(dues)
        else:
            self._due.pop(name, None)

    def _wanted(self, one: Known, now: int) -> tuple[str, int | None]:
        """Which state it has, and when that may be another one."""
        if one.connected:
            return ONLINE, None
        if one.wakes_ms:
            slept = one.wakes_ms - one.slept_ms
            late = one.wakes_ms + self.limits.oversleep * 1000 + slept // OVERSLEEP_PART
            return (ASLEEP, late) if now < late else (OFFLINE, None)
        if one.state == OFFLINE:
            return OFFLINE, None
        # One that is asleep for others was awake for a moment only: it stays that for the grace.
        grace_s = FLAPPING_GRACE_S if one.flapping else self.limits.grace
        due = one.away_ms + (max(grace_s, START_S) if one.state == UNKNOWN else grace_s) * 1000
        return (one.state, due) if now < due else (OFFLINE, None)

    def _change(self, name: str, one: Known, state: str, now: int) -> None:
        if state != one.state:
            one.since_ms = one.up_ms if state == ONLINE else one.away_ms
            if state == OFFLINE and one.wakes_ms:
                one.since_ms = one.wakes_ms
        one.reason = self._reason(one, state)
        one.state, one.told_flapping, one.told_ms = state, one.flapping, now
        payload = one.payload(name, self._date, now)
        one.flaps = 0
        self._tell(name, payload)

    def _reason(self, one: Known, state: str) -> str:
        if state == ONLINE and one.flapping:
            return f"{CONNECTED}, but flapping: {one.why}"
        if state == ONLINE:
            return CONNECTED
        if state == OFFLINE and one.wakes_ms:
            return "it has not come back from its sleep"
        return one.why

    def _date(self, at_ms: int) -> float:
        return (self._time_ms() - self._clock_ms() + at_ms) / 1000
