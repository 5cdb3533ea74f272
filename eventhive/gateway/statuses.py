"""What is said of a device to whoever asks: its counters and states, as plain data."""

import json
from typing import Any

from .device import Device

# And what is remembered of it.
_OF_AVAILABILITY = ("state", "since", "last_seen", "reason", "flapping", "flaps", "crash")

# Of the last event of a device, for a person.
LAST_CHARS = 200


def status(device: Device, availability: dict[str, Any]) -> dict[str, Any]:
    """All of it; `online` is whether it has a session now, `state` what others are told (`availability`)."""
    carrier = device.carrier
    return {
        "name": device.name,
        "online": carrier is not None,
        "link": carrier.kind if carrier is not None else None,
        "address": carrier.address if carrier is not None else None,
        **{key: availability.get(key) for key in _OF_AVAILABILITY},
        "enrolled": device.enrolled,
        "rekeying": device.next_secret is not None,
        "events": device.events,
        "rejected": device.rejected,
        "refused": device.refused,
        "undelivered": device.undelivered + device.outbox.dropped,
        "expired": device.outbox.expired,
        "waiting": len(device.outbox.entries),
        "wakes_in_s": max(0, device.asleep_until - device.clock_ms()) // 1000,
        "round_trip_ms": device.round_trip.ms,
        "reported": device.reported,
        "last": _last(*device.last),
    }


def _last(name: str, data: object) -> dict[str, Any] | None:
    if not name:
        return None
    text = json.dumps(data, ensure_ascii=False)
    return {"event": name, "data": data if len(text) <= LAST_CHARS else f"{text[:LAST_CHARS]}…"}
