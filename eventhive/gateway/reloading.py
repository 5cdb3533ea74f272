"""A running gateway takes over a configuration that was read again.

Rules of this file: what is unchanged is not touched; what cannot be changed in a process that runs stays as it was, and
is named. The key file is read first: where it is bad, nothing has changed.
"""

import logging
from dataclasses import fields, replace
from typing import Any

# What of the section `gateway:` changes at once; the rest needs a restart, and so do networks and servers.
AT_ONCE = ("serial", "command_ttl", "availability")

logger = logging.getLogger("eventhive.gateway")


def take_over(gateway: Any, new: Any) -> dict[str, Any]:
    """Have a gateway run with another checked configuration; says how many devices there are and what needs a restart.

    `LocalError`: it cannot be used, and nothing has changed.
    """
    gateway.keys.load()
    old = gateway.whole
    gateway.presence.configure(new.gateway.availability)
    gateway.devices.command_ttl_s = new.gateway.command_ttl
    devices = gateway.load_keys()
    gateway.serial.configure(new.gateway.serial)
    late = _late(old, new)
    changed = {name: getattr(new.gateway, name) for name in AT_ONCE}
    gateway.whole = replace(old, gateway=replace(old.gateway, **changed))
    logger.info("the configuration was read again: %d devices", devices)
    if late:
        logger.warning("the configuration was read again: these need a restart: %s", ", ".join(late))
    return {"devices": devices, "needs_restart": late}


def _late(old: Any, new: Any) -> list[str]:
    late = [one.name for one in fields(old) if one.name != "gateway" and _differ(old, new, one.name)]
    names = [one.name for one in fields(old.gateway) if one.name not in AT_ONCE]
    return late + [f"gateway.{name}" for name in names if _differ(old.gateway, new.gateway, name)]


def _differ(old: Any, new: Any, name: str) -> bool:
    return bool(getattr(old, name) != getattr(new, name))
