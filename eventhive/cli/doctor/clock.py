"""Whether the time of this machine can be right. Devices take theirs from it; they have no other clock."""

import ctypes
import sys
import time
from collections.abc import Iterator

from ...access import TLS
from ...seals.strict import FRESH_MS
from .finding import Finding, note, ok, problem, warning
from .subject import Subject

# 2026-01-01, before which this program was not there: a machine whose clock has no battery begins in 1970.
EARLIEST_S = 1_767_225_600
# What two machines that are both synchronised may differ by; a file that is younger than now by more was written when
# the clock was ahead.
TOLERANCE_S = 60

# What adjtimex answers where nothing synchronises the clock, and room for its struct on every machine.
_TIME_ERROR = 5
_TIMEX_BYTES = 512

SYNCHRONISE = "switch synchronisation on: timedatectl set-ntp true (or install chrony), and let it out (UDP 123)"


def check(subject: Subject) -> Iterator[Finding]:
    """Plausible, synchronised, and not behind what this gateway wrote earlier."""
    now = time.time()
    if now < EARLIEST_S:
        yield problem(f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}, which is wrong", SYNCHRONISE)
        return
    yield from _synchronised(subject)
    yield from _backwards(subject, now)


def synchronised() -> bool | None:
    """True where something keeps the clock right; None where the system does not say."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return bool(answer != _TIME_ERROR) if answer >= 0 else None


def _synchronised(subject: Subject) -> Iterator[Finding]:
    right = synchronised()
    if right is None:
        yield note("this system does not say whether its clock is synchronised")
    elif right:
        yield ok("the clock is synchronised")
    elif needing := _needing(subject):
        what = f"nothing synchronises the clock, and {', '.join(needing)} cannot do without"
        yield warning(what, SYNCHRONISE)
    else:
        what = "nothing synchronises the clock: times in the log, on the page and on devices may be off"
        yield note(what, SYNCHRONISE)


def _needing(subject: Subject) -> list[str]:
    """What goes wrong with the time."""
    if subject.config is None:
        return []
    connectors = subject.config.connectors.values()
    found = [f"'seal: strict' of {one.network} ({FRESH_MS // 60_000} min)" for one in connectors if _is_strict(one)]
    return found + [f"the certificate of {one.network}" for one in connectors if one.address.scheme == TLS]


def _is_strict(one: object) -> bool:
    secret = getattr(one, "secret", None)
    return bool(secret) and getattr(secret, "seal", "") == "strict"


def _backwards(subject: Subject, now: float) -> Iterator[Finding]:
    ahead = {name for name, entry in (subject.entries or {}).items() if entry.since > now + TOLERANCE_S}
    if ahead:
        what = f"keys of {len(ahead)} devices came into use in the future: the clock was ahead then, or is behind now"
        yield warning(what, SYNCHRONISE)
    section = subject.section
    if section is not None and section.keys.exists() and section.keys.stat().st_mtime > now + TOLERANCE_S:
        yield warning(f"key file {section.keys}: it was written in the future by this clock", SYNCHRONISE)
