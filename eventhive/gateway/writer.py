"""The one writer of the spool: it commits in groups, small ones in the loop, and all others in a thread.

A thread, because a disk may take as long as it likes. While it commits, the loop goes on collecting: what has come by
then is the next group. So the busier a gateway is, the more events share one `fdatasync`, and nobody waits for more
than two of them. The thread holds the interpreter's lock for as little as possible: getting it back from a busy loop
takes up to 5 ms. (A process in its place was no faster, and takes 12 MB.)

In the loop, where a commit takes less time than handing it over does, and hearing of it: a few events, on a disk that
is quick (`Pace`). That is a row of the journal, mostly, and hooks run while the loop waits for the disk.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple

from ..bounded_log import PerMinute
from ..core.errors import LocalError
from .batch import Batch
from .gathering import Gathering
from .journal import Journal, dumps
from .pace import Pace
from .store import Store

# What a full disk is asked again after.
RETRY_SECONDS = 1.0

# Rows of a group that is committed in the loop: SQLite takes some 3 us for each.
IN_LOOP_ROWS = 256

logger = logging.getLogger("eventhive.gateway")


class Read(NamedTuple):
    """Events of a stream that are wanted: `done(rows)` is called in the loop, see `Store.read`."""

    stream: int
    after: int
    limit: int
    done: Callable[[list[list[Any]]], None]


class Job(NamedTuple):
    """What is to be done next: write, then read; `done(trimmed)` is called in the loop once the batch is on disk.

    `brief`: a row of the journal is enough.
    """

    batch: Batch
    reads: list[Read]
    brief: bool
    done: Callable[[list[Any]], None]


class Outcome(NamedTuple):
    """What came of a job, see `Store.write` and `Store.read`, and the seconds that it took."""

    trimmed: list[Any]
    found: list[list[list[Any]]]
    seconds: float


class Writer:
    """Works on jobs of `next_job()`; `wake` it when there is one. In the loop, but for the thread.

    `waiting()` and `settle(ended)` are as `Gathering` wants them.
    `failing` says why the disk takes nothing at the moment, empty while it does. Counters: `commits`, `commit_s`
    seconds that they took in all, `failures`.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        next_job: Callable[[], Job | None],
        waiting: Callable[[], int],
        settle: Callable[[Callable[[], None]], bool],
    ):
        self.failing = ""
        self.commits = self.failures = 0
        self.commit_s = 0.0
        self._store = store
        self._journal = journal
        self._next_job = next_job
        self._waiting = waiting
        self._loop = asyncio.get_running_loop()
        self._gathering = Gathering(self._loop, waiting, self._at_once, settle, self._gathered)
        self._pace = Pace()
        self._jobs: SimpleQueue[tuple[Job, list[str]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="eventhive-spool", daemon=True)
        # Until `start`, and while there is a job.
        self._busy = True
        self._woken = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._told = PerMinute(self._loop.time)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._busy = False
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        if not self._woken and not self._busy:
            self._woken = True
            self._idle.clear()
            self._gathering.begin()

    async def stop(self, seconds: float) -> None:
        """Finish what there is to do within `seconds`, and end."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            logger.error("spool %s: not everything was written in time", self._store.path)
        # Nothing more begins.
        self._busy = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join, seconds)

    # In the loop

    def _at_once(self) -> bool:
        """True where a group is to go to disk before its hooks have run."""
        return self._waiting() <= IN_LOOP_ROWS and self._is_quick()

    def _is_quick(self) -> bool:
        return not self._store.checkpoint_due and self._pace.quick(self._loop.time())

    def _gathered(self, all_in: bool) -> None:
        self._woken = False
        job = self._next()
        if job is None:
            self._idle.set()
            return
        rows = job.batch.rows + (0 if job.brief else len(self._journal))
        if not all_in or job.reads or rows > IN_LOOP_ROWS or not self._is_quick():
            self._hand_over(job)
        else:
            self._commit(job)

    def _next(self) -> Job | None:
        # Before it is asked for: what is heard then may wake, and two jobs at a time would each take the journal of the
        # other one with them.
        self._busy = True
        job = self._next_job()
        self._busy = job is not None
        return job

    def _hand_over(self, job: Job) -> None:
        self._jobs.put((job, self._parts(job)))

    def _parts(self, job: Job) -> list[str]:
        self._journal.merge(job.batch)
        return parts_of(job.batch)

    def _commit(self, job: Job) -> None:
        """Do a job in the loop."""
        parts = None if job.brief else self._parts(job)
        outcome = self._note(job) if parts is None else self._work(job, parts)
        if isinstance(outcome, str):
            self._failed((job, parts or self._parts(job)), outcome)
            return
        self._pace.took(outcome.seconds)
        self._busy = False
        self._done(job, outcome)
        if self._waiting():
            self.wake()
        if not self._woken:
            self._idle.set()

    def _written(self, job: Job, outcome: Outcome) -> None:
        """The thread has done a job."""
        if self._waiting() and self._at_once():
            self._busy = False
        elif (following := self._next()) is not None:
            # Before the acknowledgements of this one go out, so that it is written meanwhile.
            self._hand_over(following)
        self._done(job, outcome)
        self.wake()

    def _done(self, job: Job, outcome: Outcome) -> None:
        if self.failing:
            logger.warning("spool %s: the disk takes events again", self._store.path)
            self.failing = ""
        self.commits += 1
        self.commit_s += outcome.seconds
        job.done(outcome.trimmed)
        for read, rows in zip(job.reads, outcome.found, strict=True):
            read.done(rows)

    def _failed(self, one: tuple[Job, list[str]], why: str) -> None:
        """Try again: what is not on disk is not acknowledged, so that the devices keep it."""
        self.failing = why
        self.failures += 1
        if self._told():
            logger.error("%s: events are not acknowledged until it takes them (%d tries)", why, self.failures)
        self._loop.call_later(RETRY_SECONDS, self._jobs.put, one)

    def _note(self, job: Job) -> Outcome | str:
        """Do a job that is brief; a text says why the disk did not take it."""
        text = self._journal.text(job.batch)
        began = time.perf_counter()
        try:
            self._store.note(text)
        except LocalError as error:
            return str(error)
        self._journal.add(job.batch, len(text))
        return Outcome([], [], time.perf_counter() - began)

    # In the thread, or in the loop

    def _work(self, job: Job, parts: list[str]) -> Outcome | str:
        """Do a job; a text says why the disk did not take it."""
        began = time.perf_counter()
        try:
            trimmed = self._store.write(parts, job.batch.trims)
            found = [self._store.read(*read[:3]) for read in job.reads]
        except LocalError as error:
            return str(error)
        except Exception as error:
            logger.exception("the spool failed")
            return f"spool {self._store.path}: {error}"
        return Outcome(trimmed, found, time.perf_counter() - began)

    # In the thread

    def _run(self) -> None:
        while (one := self._jobs.get()) is not None:
            outcome = self._work(*one)
            if isinstance(outcome, str):
                self._soon(self._failed, one, outcome)
            else:
                self._soon(self._written, one[0], outcome)
            if self._store.checkpoint_due:
                self._store.checkpoint()
        self._store.close()

    def _soon(self, callback: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            # The loop has ended, because `stop` was out of time.
            self._jobs.put(None)


def parts_of(batch: Batch) -> list[str]:
    """The rows of a batch as `Store.write` takes them."""
    parts = batch.streams, batch.events, batch.begun, batch.marks, batch.stale, batch.gone
    # Most are empty, mostly.
    return [dumps(part) if part else "[]" for part in parts]
