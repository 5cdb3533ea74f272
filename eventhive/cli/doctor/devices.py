"""The devices of the key file: their rights, the age of their keys, and what is known of those that came."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...core.version import VERSION
from ...gateway.keys import Entry
from .finding import Finding, note, ok, some, warning
from .subject import Subject

DAY_S = 86_400
# A key cannot be guessed; what grows with the years is who may have seen it.
MAX_KEY_DAYS = 730


def check(subject: Subject) -> Iterator[Finding]:
    """Of the key file, and of the gateway that runs."""
    entries = subject.entries
    if entries is None:
        # The section of files has said why.
        return
    yield ok(f"{len(entries)} devices are enrolled")
    yield from _rights(entries, list(subject.whole.connectors))
    yield from _keys(entries)
    if subject.running is not None:
        yield from _descriptors(subject.running.pid, len(entries))
        yield from _states(subject.running.devices)


def _rights(entries: dict[str, Entry], networks: list[str]) -> Iterator[Finding]:
    none = [name for name, entry in entries.items() if not entry.publish and not entry.receive]
    if none:
        what = f"without any right, so that their events are put aside: {some(none)}"
        yield warning(what, "eventhive device allow NAME --publish 'NETWORK/*/*', or 'eventhive device remove NAME'")
    lost = [name for name, entry in entries.items() if entry.publish and not _reaches(entry, networks)]
    if lost:
        known = ", ".join(networks) or "none"
        what = f"may publish to networks only that are not configured (there are: {known}): {some(lost)}"
        yield warning(what, "add the network under 'connectors', or 'eventhive device allow NAME --publish …'")


def _reaches(entry: Entry, networks: list[str]) -> bool:
    parts = [glob.partition("/")[0] for glob in entry.publish]
    return any("*" in part or part in networks for part in parts)


def _keys(entries: dict[str, Entry]) -> Iterator[Finding]:
    now = time.time()
    old = [name for name, entry in entries.items() if entry.since and now - entry.since > MAX_KEY_DAYS * DAY_S]
    if old:
        what = f"have had their keys for more than {MAX_KEY_DAYS} days: {some(old)}"
        yield note(what, "eventhive device rekey NAME gives a new one, without a gap")
    waiting = [name for name, entry in entries.items() if entry.next_key is not None]
    if waiting:
        what = f"have not used their new keys yet, so that the old ones are good still: {some(waiting)}"
        yield note(what, "copy the new configuration onto the board: eventhive device deploy")


def _descriptors(pid: int, devices: int) -> Iterator[Finding]:
    """Whether all devices could be connected at a time: each takes a descriptor."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return
    soft = next(line.split()[3] for line in lines if line.startswith("Max open files"))
    # A quarter is for strangers (`half_open.py`), networks and files.
    if soft.isdecimal() and devices > int(soft) * 3 // 4:
        what = f"the gateway may have {soft} files and connections open, and {devices} devices are enrolled"
        yield warning(what, "LimitNOFILE= of its unit, or 'ulimit -n' before its start: twice as many as devices")


def _states(devices: list[dict[str, Any]]) -> Iterator[Finding]:
    online = [one for one in devices if one["online"]]
    yield ok(f"{len(online)} of {len(devices)} are connected")
    unkeyed = [one["name"] for one in online if not one["enrolled"]]
    if unkeyed:
        yield warning(f"are connected without a key: {some(unkeyed)}", "eventhive device add NAME, for each")
    never = [one["name"] for one in devices if one["enrolled"] and one["last_seen"] is None]
    if never:
        what = f"have never been here: {some(never)}"
        yield note(what, "look at their power, network and console; 'eventhive device list' shows them")
    flapping = [one["name"] for one in devices if one["flapping"]]
    if flapping:
        what = f"lose their connection again and again: {some(flapping)}"
        yield warning(what, "look at their radio (RSSI, distance, channel), power supply and cable")
    yield from _crashes(devices)
    yield from _versions(online)
    yield from _losses(devices)


def _crashes(devices: list[dict[str, Any]]) -> Iterator[Finding]:
    since = time.time() - DAY_S
    crashed = [one["name"] for one in devices if (one.get("crash") or {}).get("time", 0) > since]
    if crashed:
        todo = "the page, and 'eventhive gateway status --json', show the last crash of each"
        yield warning(f"crashed within the last day: {some(crashed)}", todo)


def _versions(online: list[dict[str, Any]]) -> Iterator[Finding]:
    """What the boards run: the wire is agreed on at each connection, so that an older one is no problem by itself."""
    told: dict[str, list[str]] = {}
    for one in online:
        told.setdefault(str(one["reported"].get("version", "")), []).append(one["name"])
    silent = told.pop("", [])
    if silent:
        todo = 'set "status": 60 in their eventhive.json, and deploy it'
        yield note(f"do not tell which version they run: {some(silent)}", todo)
    if told.pop(VERSION, []) and not told:
        yield ok(f"boards that tell their version run {VERSION}, as this gateway does")
    for version, names in sorted(told.items()):
        todo = "eventhive device deploy PORT brings a board to the version of this gateway"
        # The major number is that of the wires and interfaces.
        other = version.partition(".")[0] != VERSION.partition(".")[0]
        make = warning if other else note
        yield make(f"run version {version}, and this gateway is {VERSION}: {some(names)}", todo)


def _losses(devices: list[dict[str, Any]]) -> Iterator[Finding]:
    refused = [one["name"] for one in devices if one["refused"]]
    if refused:
        what = f"sent events that they have no right to, or to networks that there are not: {some(refused)}"
        yield warning(what, "the gateway's log has the command that allows it")
    lost = [one["name"] for one in devices if one["undelivered"] or one["expired"]]
    if lost:
        what = f"were not there for commands, which are lost: {some(lost)}"
        yield note(what, "see why they are away; 'command_ttl' says how long commands live")
