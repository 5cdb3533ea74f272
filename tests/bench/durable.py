"""Acknowledged events a second where each is on disk first: the spool at `synchronous: full`, and the same without it.

Devices of the same core send from one process, the gateway with the hook is another, as in link_throughput.py; the
network is in the gateway's process. With `delivery: once`, an event is acknowledged after the commit of the transaction
that covers it; without, at once.

pipelined_50    50 devices, each with 32 events outstanding, one event a message
lockstep_50     50 devices, each with one event in flight
sent            the same two without the disk, in turn with them: reference for
lockstep_ratio  lockstep_50 to that without the disk
commit_ms       the time of one commit, batch and all, in the pipelined runs
fdatasync_ms    the time of one fdatasync of 4 KiB on the same disk, before everything else
note_us         what SQLite takes for 48 events and their marks as one row of the journal, without fdatasync
write_us        the same as rows of the tables, whose forerunners are erased
lost            events that did not reach the hook exactly once, in order and unaltered
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import support
from link_throughput import QUICK, REPEATS, SHAPES, Plan, Table, Way, enrolled
from stand import GATEWAY, NETWORK, Bench
from support import median, spread

from eventhive.gateway.batch import Batch
from eventhive.gateway.control import request
from eventhive.gateway.journal import dumps
from eventhive.gateway.store import Store
from eventhive.gateway.writer import parts_of

CONFIG = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: queen, delivery: %s}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
  spool: {synchronous: full}
"""

SYNCS = 200

# Commits, and the events of one: what fifty devices in lockstep bring together.
COMMITS = 300
GROUP = 48
STREAM = "a1a2a3a400000001"
EVENT = "my-hive/queen/event"
# What a row of the journal tells of a batch.
NOTED = ("events", "marks", "gone")

NAMES = ("lockstep_50", "pipelined_50")


def fdatasync_ms() -> list[float]:
    """Milliseconds of one write of 4 KiB and its fdatasync, many times."""
    times = []
    with tempfile.NamedTemporaryFile(prefix="bench-") as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return times


def sqlite_us() -> tuple[float, float]:
    """Microseconds of a small commit in the journal and in the tables, without the disk: medians of many."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store = Store(Path(folder) / "spool", "off")
        store.open()
        begun = [(row, f"device-{row}", STREAM) for row in range(1, GROUP + 1)]
        store.write(parts_of(Batch(streams=[(1, NETWORK, "device-1", STREAM)], begun=begun)), [])
        written = [timed(store.write, parts_of(group(number)), []) for number in range(COMMITS)]
        noted = [timed(store.note, dumps([vars(group(number))[part] for part in NOTED])) for number in range(COMMITS)]
        store.close()
    return median(noted, 1), median(written, 1)


def group(number: int) -> Batch:
    """The commit of this number: one event of each device, and the end of the one before."""
    first = GROUP * number + 1
    events = [(row, 1, row, EVENT, '{"n":12345,"at":1234.5}') for row in range(first, first + GROUP)]
    return Batch(
        events=events, marks=dict.fromkeys(range(1, GROUP + 1), number), gone=[row[0] - GROUP for row in events]
    )


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Microseconds that it takes."""
    began = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - began) * 1e6


def commits(stand: Bench) -> tuple[int, float]:
    """Commits of the gateway so far, and the milliseconds of all of them."""
    status = request(stand.folder / f"{GATEWAY}.sock", "networks")["networks"][NETWORK]
    return status["commits"], status["commits"] * status["commit_ms"]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    plan = Plan(1, QUICK) if options.quick else Plan(REPEATS, 1)
    syncs, (note_us, write_us) = fdatasync_ms(), sqlite_us()
    table, plain = Table(), Table()
    with enrolled() as stand, enrolled() as other:
        once, sent = Way(stand, stand.gateway(CONFIG % "once")), Way(other, other.gateway(CONFIG % "sent"))
        taken = (0, 0.0)
        for name in NAMES:
            for way in (once, sent):
                way.run(plan.warm(SHAPES[name]))
            before = commits(stand)
            for _ in range(plan.repeats):
                table.add(name, once.run(plan.full(SHAPES[name])))
                plain.add(name, sent.run(plan.full(SHAPES[name])))
            after = commits(stand)
            taken = (after[0] - before[0], after[1] - before[1])
        lost = once.lost + sent.lost
    pairs = zip(table.rates["lockstep_50"], plain.rates["lockstep_50"], strict=True)
    return {
        **table.figures(),
        "sent": plain.figures(),
        "lockstep_ratio": median([ours / theirs for ours, theirs in pairs], 2),
        "commit_ms": round(taken[1] / max(taken[0], 1), 3),
        "fdatasync_ms": median(syncs, 3),
        "fdatasync_ms_spread": spread(syncs, 3),
        "note_us": note_us,
        "write_us": write_us,
        "lost": lost,
    }


if __name__ == "__main__":
    support.main(measure)
