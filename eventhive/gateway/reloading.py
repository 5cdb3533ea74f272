"""A running gateway takes over a configuration that was read again.

Rules of this file: what is unchanged is not touched; what cannot be changed in a process that runs stays as it was, and
is named. What may fail comes first, and is undone where something does: then nothing has changed.
"""

import logging
from dataclasses import fields, replace
from typing import Any

from . import networks
from .changes import changes

# What of the section `gateway:` changes at once; the rest needs a restart.
AT_ONCE = ("serial", "command_ttl", "availability", "console_events")
# Sections whose parts are taken over one by one.
IN_PARTS = ("gateway", "connectors", "servers")

logger = logging.getLogger("eventhive.gateway")


async def take_over(gateway: Any, new: Any) -> dict[str, Any]:
    """Have a gateway run with another checked configuration; says how many devices there are and what needs a restart.

    `LocalError`: it cannot be used, and nothing has changed.
    """
    gateway.keys.load()
    old = gateway.whole
    found = changes(old, new)
    carriers = {name: gateway.hive.joined.carrier(new.connectors[name]) for name in found.moved}
    await networks.join(gateway, found.added, new)
    late = _late(old, new) + found.named
    changed = {name: getattr(new.gateway, name) for name in AT_ONCE}
    gateway.whole = replace(
        old,
        gateway=replace(old.gateway, **changed),
        connectors=found.merged(old.connectors, new.connectors),
        servers=found.merged(old.servers, new.servers),
    )
    gateway.presence.configure(new.gateway)
    gateway.presence.serve(gateway.whole)
    gateway.devices.command_ttl_s = new.gateway.command_ttl
    gateway.devices.open_to(list(gateway.whole.connectors))
    devices = gateway.load_keys()
    gateway.serial.configure(new.gateway.serial)
    for name, carrier in carriers.items():
        gateway.hive.joined.exchange(name, carrier)
    await networks.leave(gateway, found.removed)
    for what, names in (("joined", found.added), ("left", found.removed), ("carried elsewhere", found.moved)):
        if names:
            logger.info("networks %s: %s", what, ", ".join(names))
    logger.info("the configuration was read again: %d devices", devices)
    if late:
        logger.warning("the configuration was read again: these need a restart: %s", ", ".join(late))
    return {"devices": devices, "needs_restart": late}


def _late(old: Any, new: Any) -> list[str]:
    late = [one.name for one in fields(old) if one.name not in IN_PARTS and _differ(old, new, one.name)]
    names = [one.name for one in fields(old.gateway) if one.name not in AT_ONCE]
    return late + [f"gateway.{name}" for name in names if _differ(old.gateway, new.gateway, name)]


def _differ(old: Any, new: Any, name: str) -> bool:
    return bool(getattr(old, name) != getattr(new, name))
