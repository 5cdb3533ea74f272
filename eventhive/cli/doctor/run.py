"""All checks of `eventhive doctor`, in order, and how what they found is shown."""

import argparse
import json
import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..ending import FAILED, SUCCEEDED
from ..output import printable
from . import (
    certificates,
    clock,
    configuration,
    devices,
    discovery,
    disk,
    files,
    listening,
    networks,
    page,
    ports,
    strength,
)
from .finding import LEVELS, OK, PROBLEM, Finding, problem
from .subject import Subject, look

Check = Callable[[Subject], Iterable[Finding]]


class Section(NamedTuple):
    """One check; `alone`: it can be done without a configuration."""

    name: str
    check: Check
    alone: bool = False


# What is wrong further up is often why something further down is: in this order it is put right.
SECTIONS = (
    Section("configuration", configuration.check, alone=True),
    Section("files", files.check),
    Section("disk", disk.check),
    Section("clock", clock.check, alone=True),
    Section("certificates", certificates.check),
    Section("serial ports", ports.check),
    Section("discovery", discovery.check),
    Section("listening", listening.check),
    Section("networks", networks.check),
    Section("secrets", strength.check),
    Section("devices", devices.check),
    Section("page", page.check),
)

_WIDTH = max(len(level) for level in LEVELS)


def run(arguments: argparse.Namespace) -> int:
    """Look, and tell; exit code 1 where there is a problem."""
    # What the gateway would log, the findings say.
    logging.getLogger().addHandler(logging.NullHandler())
    subject = look(arguments.config)
    found = {section.name: examine(section, subject) for section in SECTIONS if section.alone or not subject.fault}
    levels = [one.level for findings in found.values() for one in findings]
    healthy = PROBLEM not in levels
    if arguments.json:
        rows = [{"section": name, **one._asdict()} for name, findings in found.items() for one in findings]
        print(json.dumps({"ok": healthy, "findings": rows}, indent=2))
    else:
        _show(found, levels)
    return SUCCEEDED if healthy else FAILED


def examine(section: Section, subject: Subject) -> list[Finding]:
    """What one check finds; what it has found before it failed is kept."""
    found: list[Finding] = []
    try:
        found.extend(section.check(subject))
    except Exception as error:
        # A fault of this program: the other checks must outlive it.
        what = f"this check failed itself: {type(error).__name__}: {error}"
        found.append(problem(what, "report it, with the version (eventhive --version) and this line"))
    return found


def _show(found: dict[str, list[Finding]], levels: list[str]) -> None:
    for name, findings in found.items():
        print(name)
        for one in findings:
            print(printable(f"  {one.level.ljust(_WIDTH)}  {one.text}"))
            if one.todo:
                print(printable(f"  {'':{_WIDTH}}  -> {one.todo}"))
    counts = {level: levels.count(level) for level in reversed(LEVELS) if level != OK}
    told = ", ".join(f"{count} {level}{'s' * (count != 1)}" for level, count in counts.items())
    print(f"\n{told}{': begin with the uppermost' if any(counts.values()) else ''}")
