"""Runs hooks off the loop: one ordered worker thread, fed in batches.

Rules of this file:
1. One wake-up per iteration of the loop, however many events it brought: handing the interpreter from thread to thread
   costs more than the hooks do.
2. A hook that raises is logged and counted; a hook that is slow delays other hooks, and nobody else.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

# Events that wait for hooks. From the first number on, whoever can is asked to send more slowly; what comes beyond the
# last has no place and is dropped: by then the hooks are some seconds behind.
CONGESTED = 20_000
RELIEVED = 5_000
MAX_WAITING = 200_000

Batch = list[tuple[str, Any]]

logger = logging.getLogger("eventhive")


class Dispatcher:
    """Calls `run(event, data)` for each event that was `put`, in order, in a thread of its own.

    `congestion(true or false)` is called in the loop when `congested` changes.
    """

    def __init__(self, run: Callable[[str, Any], None], congestion: Callable[[bool], None]):
        self.congested = False
        self.dropped = 0
        self._run_one = run
        self._congestion = congestion
        self._relieved: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()
        self._batch: Batch = []
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._put = self._done = 0
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="eventhive-hooks", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Events whose hooks did not run yet, or are running."""
        return self._put - self._done

    def put(self, event: str, data: Any) -> None:
        """Have the hooks of an event run; called in the loop."""
        if self.congested and self.waiting >= MAX_WAITING:
            self._drop(event)
            return
        self._put += 1
        if not self._batch:
            self._loop.call_soon(self._feed)
        self._batch.append((event, data))

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, in the loop, when `congested` becomes false."""
        self._relieved.append(callback)

    def stop(self) -> None:
        """Let the thread end after what was put before."""
        self._feed()
        self._batches.put(None)

    async def wait(self, seconds: float) -> bool:
        """Wait for the end of the thread; false when it took longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        return self._ended.is_set()

    @property
    def is_current(self) -> bool:
        """True in the thread that runs the hooks."""
        return threading.current_thread() is self._thread

    def _feed(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            self._batches.put(batch)
            if not self.congested and self.waiting > CONGESTED:
                self.congested = True
                self._congestion(True)

    def _drop(self, event: str) -> None:
        if not self.dropped:
            logger.error("%s is dropped: %d events wait for hooks, which are too slow for them", event, MAX_WAITING)
        self.dropped += 1

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            for event, data in batch:
                try:
                    self._run_one(event, data)
                except SystemExit:
                    # It would end this thread, and with it all hooks.
                    logger.error("%s: sys.exit() in a hook does not end the program", event)
                self._done += 1
            if self.congested and self.waiting <= RELIEVED:
                self._loop.call_soon_threadsafe(self._relieve)

        # Behind its deadline, `stop` does not wait for this thread, and the loop may be closed.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended.set)

    def _relieve(self) -> None:
        if self.congested and self.waiting <= RELIEVED:
            self.congested = False
            self._congestion(False)
            relieved, self._relieved = self._relieved, []
            for callback in relieved:
                callback()
