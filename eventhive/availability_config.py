"""The keys under `gateway: availability:`: when a device that is away is told to be offline."""

from dataclasses import dataclass

from .section import Section

# A board that is reset is back after its boot and its Wi-Fi, some 10 s; after a look at a radio that lies, 25 s.
GRACE_S = 30

# Of one that sleeps: what it takes from its waking to its session, twice.
OVERSLEEP_S = 60

# A day: whoever is not missed for longer needs no availability.
MAX_S = 86_400


@dataclass(frozen=True)
class AvailabilityConfig:
    """Seconds: how long a device may be away before it is offline, and how much later than announced it may wake.

    `told`: networks are told of it.
    """

    grace: int = GRACE_S
    oversleep: int = OVERSLEEP_S
    told: bool = True


def availability_of(gateway: Section) -> AvailabilityConfig:
    """What is configured; with `availability: false`, no network is told anything."""
    if gateway.raw("availability") is False:
        return AvailabilityConfig(told=False)
    section = gateway.section("availability", ("grace", "oversleep"))
    return AvailabilityConfig(
        section.integer("grace", GRACE_S, 0, MAX_S), section.integer("oversleep", OVERSLEEP_S, 0, MAX_S)
    )
