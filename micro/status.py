"""Telling the gateway how the board does: what waits, what was lost, how much memory is free. Loaded where it is set.

    {"status": 60}    in eventhive.json: every so many seconds, and at the start of each connection
"""

import gc

from eventhive.core.envelope import STATUS, encode
from eventhive.core.errors import LocalError
from eventhive.core.version import VERSION

from .port import sleep_ms

# How soon a new connection is noticed.
_STEP_MS = 500


def load(node, every_s):
    """The coroutine that tells it, for as long as the node runs."""
    if every_s < 1:
        raise LocalError("status: seconds, 1 or more")
    return _tell(node, every_s)


def status(node):
    """The counters of a node, all integers, and its version; `docs/protocol.md` says what each means."""
    outbox, spill = node.outbox, node.spill
    found = {
        "version": VERSION,
        "waiting": len(outbox.entries),
        "dropped": outbox.dropped,
        "replaced": getattr(node, "replaced", 0),
        "received": node.received,
        "failed": node.failed,
        "unclaimed": node.unclaimed,
        "rejected": node.rejected,
        "expired": node.expired,
    }
    if hasattr(gc, "mem_free"):
        found["heap"] = gc.mem_free()
    if spill:
        found["flash"] = [spill.waiting, spill.bytes, spill.writes, spill.written, spill.full, spill.damaged]
    return found


async def _tell(node, every_s):
    told = None
    left = 0
    while True:
        session = node.session
        if session and not session.closed and (session is not told or left <= 0):
            session.say(encode([STATUS, status(node)]))
            node.woken.set()
            told, left = session, every_s * 1000
        await sleep_ms(_STEP_MS)
        left -= _STEP_MS
