"""The one writer of the spool: a thread that commits in groups.

While it commits, the loop goes on collecting: what has come by then is the next group. So the busier a gateway is, the
more events share one `fdatasync`, and nobody waits for more than two of them. The thread holds the interpreter's lock
for as little as possible: getting it back from a busy loop takes up to 5 ms. (A process in its place was no faster, and
takes 12 MB.)
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple

from ..bounded_log import PerMinute
from ..core.errors import LocalError
from .batch import Batch
from .store import Store

# What a full disk is asked again after.
RETRY_SECONDS = 1.0

logger = logging.getLogger("eventhive.gateway")

_json = json.JSONEncoder(separators=(",", ":")).encode


class Read(NamedTuple):
    """Events of a stream that are wanted: `done(rows)` is called in the loop, see `Store.read`."""

    stream: int
    after: int
    limit: int
    done: Callable[[list[list[Any]]], None]


class Job(NamedTuple):
    """What the thread does next: write, then read; `done(trimmed)` is called in the loop once the batch is on disk."""

    batch: Batch
    reads: list[Read]
    done: Callable[[list[Any]], None]


class Writer:
    """Works on jobs of `next_job()` in a thread; `wake` it when there is one. In the loop, but for the thread.

    `failing` says why the disk takes nothing at the moment, empty while it does. Counters: `commits`, `commit_s`
    seconds that they took in all, `failures`.
    """

    def __init__(self, store: Store, next_job: Callable[[], Job | None]):
        self.failing = ""
        self.commits = self.failures = 0
        self.commit_s = 0.0
        self._store = store
        self._next_job = next_job
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[Job, list[str]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="eventhive-spool", daemon=True)
        self._busy = self._woken = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._told = PerMinute(self._loop.time)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do: at the end of this iteration of the loop, with all that came in it."""
        if not self._woken and not self._busy:
            self._woken = True
            self._idle.clear()
            self._loop.call_soon(self._hand_over)

    async def stop(self, seconds: float) -> None:
        """Finish what there is to do within `seconds`, and end."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            logger.error("spool %s: not everything was written in time", self._store.path)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join, seconds)

    # In the loop

    def _hand_over(self) -> None:
        self._woken = False
        job = self._next_job()
        self._busy = job is not None
        if job is None:
            self._idle.set()
        else:
            self._jobs.put((job, _parts(job.batch)))

    def _written(self, job: Job, trimmed: list[Any], found: list[list[list[Any]]], seconds: float) -> None:
        if self.failing:
            logger.warning("spool %s: the disk takes events again", self._store.path)
            self.failing = ""
        self.commits += 1
        self.commit_s += seconds
        # The next group first: it is written while the acknowledgements of this one go out.
        self._hand_over()
        job.done(trimmed)
        for read, rows in zip(job.reads, found, strict=True):
            read.done(rows)
        self.wake()

    def _failed(self, one: tuple[Job, list[str]], why: str) -> None:
        """Try again: what is not on disk is not acknowledged, so that the devices keep it."""
        self.failing = why
        self.failures += 1
        if self._told():
            logger.error("%s: events are not acknowledged until it takes them (%d tries)", why, self.failures)
        self._loop.call_later(RETRY_SECONDS, self._jobs.put, one)

    # In the thread

    def _run(self) -> None:
        while (one := self._jobs.get()) is not None:
            job, parts = one
            began = time.perf_counter()
            try:
                trimmed = self._store.write(parts, job.batch.trims)
                found = [self._store.read(*read[:3]) for read in job.reads]
            except LocalError as error:
                self._soon(self._failed, one, str(error))
            except Exception as error:
                logger.exception("the spool failed")
                self._soon(self._failed, one, f"spool {self._store.path}: {error}")
            else:
                self._soon(self._written, job, trimmed, found, time.perf_counter() - began)
        self._store.close()

    def _soon(self, callback: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            # The loop has ended, because `stop` was out of time.
            self._jobs.put(None)


def _parts(batch: Batch) -> list[str]:
    """The rows of a batch as `Store.write` takes them."""
    marks = [(device, stream, number) for (device, stream), number in batch.marks.items()]
    return [_json(part) for part in (batch.streams, batch.events, marks, batch.stale, batch.gone)]
