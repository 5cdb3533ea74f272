"""What the gateway keeps on disk, so that nothing acknowledged is lost: events that no hive has confirmed, and marks.

Rules of this file:
1. An event is acknowledged after the commit of the transaction that holds it and the mark that covers it, in the tables
   or in the journal. An event that is confirmed before it was written needs neither: the mark alone is written.
2. A mark never covers what is neither on disk nor confirmed.
3. Everything here is in the loop; the file is the writer's.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..core.json_host import loads
from .batch import Batch, size_of
from .ends import Network
from .journal import MAX_BYTES, Journal, dumps, replayed
from .lane import WINDOW, Entry, Lane, Stream
from .outlet import Outlet
from .quota import Quota
from .store import Store
from .writer import Job, Read, Writer

# How often outages and what is not confirmed are looked after.
TICK_S = 0.1
# A tick that comes later than this was held up together with everything else in this process, so that nobody else is to
# be blamed for the time.
MAX_TICK_S = 0.5

# How many of the oldest events make room at a time, where that is the policy.
TRIM_EVENTS = 256

# How long a stop waits for networks that could still confirm what is on disk, and for the disk.
DRAIN_S = 2.0
STOP_S = 5.0

logger = logging.getLogger("eventhive.gateway")


class Spool:
    """The spool in the file at `path`. `device(name)` gives a `Device`, or None.

    `outlets` are the networks whose events go through it, by their names.
    """

    def __init__(self, path: Path, synchronous: str, device: Callable[[str], Any]):
        self.outlets: dict[str, Outlet] = {}
        self._device = device
        self._store = Store(path, synchronous)
        self._journal = Journal()
        self._noted = Batch()
        self._writer = Writer(self._store, self._journal, self._next_job, lambda: len(self._queued), self._settle)
        self._time = 0.0
        self._queued: list[Entry] = []
        self._gone: list[int] = []
        # Of those that have no row of their own.
        self._ended: list[int] = []
        # What is in the journal is to be put into the tables.
        self._due = False
        self._reads: list[tuple[Outlet, Lane]] = []
        self._trims: dict[Outlet, None] = {}
        # Ids of events that were confirmed since each job with trims was made.
        self._trimming: list[set[int]] = []
        # The rows of the marks of each device that are on disk, or will be with the next batch, by their streams.
        self._marked: dict[str, dict[str, int]] = {}
        self._forgotten: set[str] = set()
        self._final: list[tuple[Any, Any]] = []
        # What is on disk of networks that are not configured: (device, stream, bytes).
        self._homeless: dict[str, list[tuple[str, Stream, int]]] = {}
        self._started = False
        self._rows: itertools.count[int] = itertools.count(1)
        self._streams: itertools.count[int] = itertools.count(1)
        self._marks: itertools.count[int] = itertools.count(1)
        # How many of those that are queued are dealt with first; None: all.
        self._settled: int | None = None

    def open(self) -> dict[str, list[tuple[str, int]]]:
        """Open the file; returns the marks that are in it: (stream, number) of each device. Raises `LocalError`."""
        damage = self._store.open()
        if damage:
            logger.error("%s", damage)
        noted = self._store.noted()
        self._noted = replayed(noted)
        self._journal.inherit(self._noted, sum(map(len, noted)))
        marks: dict[str, list[tuple[str, int]]] = {}
        for mark, device, stream, number in self._store.marks():
            marks.setdefault(device, []).append((stream, max(number, self._noted.marks.get(mark, 0))))
            self._marked.setdefault(device, {})[stream] = mark
        streams, rows, highest = self._store.last_ids()
        # What is noted as gone must not be the number of another event before it is erased.
        rows = max(rows, *(row[0] for row in self._noted.events), *self._noted.gone, 0)
        self._streams, self._rows, self._marks = [itertools.count(last + 1) for last in (streams, rows, highest)]
        return marks

    def add(self, network: Network, once: bool, limit: int, policy: str) -> Outlet:
        """Have the events of a network go through here, and those of it that are on disk; see `Quota`."""
        outlet = self.outlets.get(network.name)
        if outlet is not None:
            outlet.resume(network, once, limit, policy)
            return outlet
        outlet = self.outlets[network.name] = Outlet(network, once, Quota(network.name, limit, policy), self)
        for device, stream, size in self._homeless.pop(network.name, ()):
            outlet.restore(device, stream, size)
        return outlet

    def start(self) -> None:
        """Go on with what is on disk."""
        for number, network, device, stream, events, size, top in self._store.held(self._noted):
            outlet, kept = self.outlets.get(network), Stream(number, stream, events, top)
            if outlet is None:
                self._homeless.setdefault(network, []).append((device, kept, size))
                missing = "spool: %d events of %s are kept: their network %s is not configured, or never away"
                logger.warning(missing, events, device, network)
            else:
                outlet.restore(device, kept, size)
        self._noted = Batch()
        for outlet in self.outlets.values():
            if outlet.events:
                logger.info("network %s: %d events wait in the spool", outlet.name, outlet.events)
        self._writer.start()
        self._started = True

    async def run(self) -> None:
        """Look after outages, until cancelled."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            self._time += min(now - last, MAX_TICK_S)
            last = now
            for outlet in self.outlets.values():
                try:
                    outlet.tick()
                except Exception:
                    # A fault of this program: the other networks, and the next tick, must outlive it.
                    logger.exception("network %s: unexpected", outlet.name)
            self._due = self._due or bool(self._gone) or self._journal.behind
            if self._due or self._ended:
                self._writer.wake()

    async def stop(self, devices: Iterable[Any]) -> None:
        """Write what there is to write, and the marks of all devices, so that nothing comes twice after a restart."""
        if not self._started:
            self._store.close()
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + DRAIN_S
        while loop.time() < end and any(outlet.busy for outlet in self.outlets.values()):
            await asyncio.sleep(TICK_S / 5)
        self._final = [(device, mark) for device in devices for mark in device.marks]
        self._due = True
        self._writer.wake()
        await self._writer.stop(STOP_S)

    def forget(self, device: str) -> None:
        """A device is no more: its marks are of no use; its events are."""
        self._forgotten.add(device)
        self._marked.pop(device, None)
        self._writer.wake()

    def status(self) -> dict[str, Any]:
        """What a running gateway tells of it, by network."""
        return {
            name: {
                "connected": outlet.connected,
                "delivery": "once" if outlet.once else "sent",
                "events": outlet.events,
                "bytes": outlet.quota.used,
                "quota": outlet.quota.limit,
                "held_s": round(outlet.held_s),
                "refused": len(outlet.quota.refused),
                "dropped": outlet.quota.dropped,
                "sent_again": outlet.sent_again,
                "unhooked": sorted(outlet.unheard),
                "rows": self._journal.rows,
                "commits": self._writer.commits,
                "commit_ms": round(self._writer.commit_s / max(self._writer.commits, 1) * 1000, 3),
            }
            for name, outlet in self.outlets.items()
            if not outlet.retired or outlet.events
        }

    # For outlets

    def now(self) -> float:
        """Seconds, as far as this process was able to notice them."""
        return self._time

    def soon(self, callback: Callable[[], None]) -> None:
        """Have something called in the next iteration of the loop."""
        asyncio.get_running_loop().call_soon(callback)

    def origin(self, device: str) -> object:
        """The device of this name."""
        return self._device(device)

    def keep(self, entry: Entry) -> None:
        """Write an event with the next batch, and acknowledge it then."""
        entry.queued = True
        if not entry.gone:
            self._freeze(entry)
        entry.lane.outlet.put(entry.stream)
        self._queued.append(entry)
        self._writer.wake()

    def erase(self, entry: Entry) -> None:
        """An event is confirmed: it is no longer wanted on disk, and acknowledged if it never was to go there."""
        if entry.id:
            # With the next batch, or the next tick: what is not erased in time comes again, under its identity.
            (self._ended if self._journal.ended(entry) else self._gone).append(entry.id)
            for erased in self._trimming:
                erased.add(entry.id)
            entry.lane.outlet.erased(entry.stream, entry.size)
        elif not entry.queued and entry.receipt is not None:
            receipt, entry.receipt = entry.receipt, None
            receipt()

    def read(self, outlet: Outlet, lane: Lane) -> None:
        """Have `lane.found` called with what is on disk."""
        self._reads.append((outlet, lane))
        self._writer.wake()

    def trim(self, outlet: Outlet) -> None:
        """Remove the oldest events of a network."""
        self._trims[outlet] = None
        self._writer.wake()

    # The rest is private.

    def _freeze(self, entry: Entry) -> None:
        """Keep the data of an event as it is: hooks may change what they are given; without `once`, they have it."""
        try:
            entry.text = dumps(entry.data)
        except (TypeError, ValueError, RecursionError):
            what = "device %s: an event %s is dropped: a hook here made it no JSON; have it change a copy"
            logger.error(what, entry.lane.device, entry.topic)
            entry.gone = True
            entry.lane.outlet.quota.dropped += 1

    def _settle(self, ended: Callable[[], None]) -> bool:
        if not self._queued:
            return False
        # All are asked, though the first answer is enough: networks of one hive share its hooks.
        asked = [outlet for outlet in self.outlets.values() if outlet.settle(ended)]
        self._settled = len(self._queued) if asked else None
        return bool(asked)

    def _hurry(self) -> None:
        for outlet in self.outlets.values():
            try:
                outlet.hurry()
            except Exception:
                # A fault of this program, as in `run`.
                logger.exception("network %s: unexpected", outlet.name)

    def _next_job(self) -> Job | None:
        self._hurry()
        if self._reads:
            # Of what is wanted from the disk, some may have come while hooks ran.
            self._settled = None
        # What came while hooks ran has its turn next: it would need rows.
        count, self._settled = self._settled, None
        writing, self._queued = self._queued[:count], [] if count is None else self._queued[count:]
        batch = Batch()
        batch.gone, self._gone = self._gone, []
        batch.ended, self._ended = self._ended, []
        touched = self._put(writing, batch)
        self._mark(touched, batch)
        reads, self._reads = [self._read(*one) for one in self._reads], []
        batch.trims = [(one.name, TRIM_EVENTS) for one in self._trims]
        trimmed, self._trims = list(self._trims), {}
        erased: set[int] = set()
        if trimmed:
            self._trimming.append(erased)
        due, self._due = self._due and bool(self._journal), False
        if not batch and not reads and not due:
            return None
        brief = batch.simple and not reads and not due and not self._journal.full and _ends_soon(batch)
        return Job(batch, reads, brief, lambda rows: self._committed(writing, zip(trimmed, rows, strict=True), erased))

    def _put(self, writing: list[Entry], batch: Batch) -> dict[Any, Any]:
        """Add events to a batch; returns the receipt with the highest number of each mark in it."""
        last: dict[Any, Any] = {}
        for entry in writing:
            receipt = entry.receipt
            receipt.covered = True
            before = last.get(receipt.mark)
            if before is None or before.number < receipt.number:
                last[receipt.mark] = receipt
            stream = entry.stream
            if entry.gone:
                entry.lane.outlet.erased(stream, 0)
                continue
            if not stream.id:
                stream.id = next(self._streams)
                batch.streams.append((stream.id, entry.lane.outlet.name, entry.lane.device, stream.name))
            entry.id = next(self._rows)
            batch.entries.append(entry)
        return last

    def _mark(self, touched: dict[Any, Any], batch: Batch) -> None:
        marks = batch.marks
        for mark, receipt in touched.items():
            device = receipt.device
            marks[self._mark_of(device, mark.stream, batch)] = device.covered(mark, receipt.number)
        batch.stale += [(name, None) for name in self._forgotten]
        self._forgotten.clear()
        for device, mark in self._final:
            row = self._mark_of(device, mark.stream, batch)
            marks[row] = max(marks.get(row, 0), mark.confirmed)
        self._final = []

    def _mark_of(self, device: Any, stream: str, batch: Batch) -> int:
        """The row of a mark; a new one takes the place of those that its device has no more."""
        rows = self._marked.get(device.name)
        if rows is None:
            rows = self._marked[device.name] = {}
        if stream not in rows:
            kept = {one.stream for one in device.marks}
            for other in [one for one in rows if one not in kept]:
                batch.stale.append((device.name, other))
                del rows[other]
            rows[stream] = next(self._marks)
            batch.begun.append((rows[stream], device.name, stream))
        return rows[stream]

    def _read(self, outlet: Outlet, lane: Lane) -> Read:
        """Read on in the first stream of a lane that has more."""
        stream = next((one for one in lane.streams.values() if one.unread), None)
        if stream is None or not stream.id:
            if stream is not None:
                stream.unread = False
            return Read(0, 0, 0, lambda rows: lane.found(Stream(0, ""), (), False, lane.epoch))
        stream.unread = False
        epoch = lane.epoch

        def found(rows: list[list[Any]]) -> None:
            entries = [_entry(lane, stream, *row) for row in rows]
            lane.found(stream, entries, len(rows) == WINDOW, epoch)

        return Read(stream.id, stream.cursor, WINDOW, found)

    def _committed(self, writing: list[Entry], trimmed: Iterable[tuple[Outlet, Any]], erased: set[int]) -> None:
        devices: dict[Any, None] = {}
        for entry in writing:
            receipt, entry.receipt = entry.receipt, None
            receipt.waits = False
            devices[receipt.device] = None
        for device in devices:
            device.settle_now()
        # What was confirmed meanwhile was counted then.
        for outlet, found in trimmed:
            outlet.trimmed([row for row in found if row[0] not in erased])
        self._trimming = [one for one in self._trimming if one is not erased]


def _ends_soon(batch: Batch) -> bool:
    """True where events need no rows of their own yet: their hooks may have them, and no quota is nearly used up."""
    outlets = {entry.lane.outlet for entry in batch.entries}
    return all(outlet.connected and outlet.quota.used + MAX_BYTES < outlet.quota.limit for outlet in outlets)


def _entry(lane: Lane, stream: Stream, number_of_row: int, number: int, topic: str, text: str) -> Entry:
    entry = Entry(lane, stream, number, topic, loads(text))
    entry.id = number_of_row
    entry.text = text
    entry.size = size_of((number_of_row, stream.id, number, topic, text))
    return entry
