"""`eventhive gateway status`: devices and networks of a running gateway, in a terminal."""

import argparse
import json
import time
from typing import Any

from ..output import printable, say
from .shared import read, section_of

# As `systemctl status` has it for what does not run.
NOT_RUNNING = 3

_DEVICE = ("DEVICE", "STATE", "LINK", "FROM", "SEEN", "EVENTS", "WAIT", "LOST", "TRIP", "HEAP")
_NETWORK = ("NETWORK", "STATE", "DELIVERY", "ON DISK", "BYTES", "DROPPED", "NOBODY HOOKS")
_CRASH = ("DEVICE", "LAST CRASH", "KIND", "WHAT")
_PORT = ("PORT", "STATE", "DEVICE", "RETURNED", "WHY")

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def run(arguments: argparse.Namespace) -> int:
    """Ask the gateway over its control socket."""
    from ...gateway.control import NotRunningError, request

    control = section_of(arguments.config, read(arguments.config)).control
    try:
        devices = request(control, "devices")["devices"]
        networks = request(control, "networks")["networks"]
        ports = request(control, "ports")["ports"]
    except NotRunningError as error:
        say(f"eventhive gateway: {error}: start it with: eventhive gateway --config {arguments.config}")
        return NOT_RUNNING
    if arguments.json:
        print(json.dumps({"devices": devices, "networks": networks, "ports": ports}, indent=2))
        return 0
    _table(_DEVICE, [_device(one) for one in devices])
    crashes = [_crash(one["name"], one["crash"]) for one in devices if one["crash"]]
    if crashes:
        print()
        _table(_CRASH, crashes)
    if networks:
        print()
        _table(_NETWORK, [_network(*pair) for pair in networks.items()])
    if ports:
        print()
        _table(_PORT, [_port(one) for one in ports])
    return 0


def _crash(name: str, crash: dict[str, Any]) -> tuple[str, ...]:
    return (name, ago(crash["time"]), crash["kind"], crash["what"])


def _port(one: dict[str, Any]) -> tuple[str, ...]:
    return (one["port"], one["state"], one["device"] or "", str(one["returned"] or ""), one["why"])


def _device(one: dict[str, Any]) -> tuple[str, ...]:
    reported = one["reported"]
    # On the device for want of room, and here because it was too long away.
    lost = reported.get("dropped", 0) + one["undelivered"] + one["expired"]
    heap = reported.get("heap")
    trip = f"{one['round_trip_ms']} ms" if one["round_trip_ms"] is not None else ""
    counts = (str(one["events"]), str(one["waiting"]), str(lost), trip, f"{heap // 1024} KB" if heap else "")
    return (one["name"], _state(one), one["link"] or "", one["address"] or "", _seen(one), *counts)


def _state(one: dict[str, Any]) -> str:
    state = "online" if one["online"] else str(one["state"])
    if not one["online"] and state in ("online", "unknown"):
        # It has the grace to come back.
        state = "away"
    if state == "asleep" and one["wakes_in_s"]:
        state = f"asleep, {_duration(one['wakes_in_s'])}"
    return f"{state}, flapping" if one["flapping"] else state


def _seen(one: dict[str, Any]) -> str:
    if one["last_seen"] is None:
        return ""
    return ago(one["last_seen"])


def ago(seconds: float) -> str:
    """Human: how long ago a time was."""
    return f"{_duration(max(int(time.time() - seconds), 0))} ago"


def _network(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    state = "connected" if one["connected"] else "away"
    held = f"{one['events']}, {_duration(one['held_s'])}" if one["events"] else "0"
    return (name, state, one["delivery"], held, str(one["bytes"]), str(one["dropped"]), ", ".join(one["unhooked"]))


def _duration(seconds: int) -> str:
    """Human: the largest unit that there is a whole one of."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print(printable("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()))
