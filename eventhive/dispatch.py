"""Runs hooks off the loop: one ordered worker thread, fed in batches, and others for events whose hooks are slow.

Rules of this file:
1. Few wake-ups: one per iteration of the loop, however many events it brought, or per several that bring many.
   Handing the interpreter from thread to thread costs more than the hooks do.
2. A hook that is slow delays the events of its own name, and no others: where one runs longer than SLOW_SECONDS,
   another thread goes on with the rest. So events of one name keep their order, and those of different names may change
   places.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

# Events that wait for hooks. From the first number on, whoever can is asked to send more slowly; what comes beyond the
# last has no place and is dropped: by then the hooks are some seconds behind.
CONGESTED = 20_000
RELIEVED = 5_000
MAX_WAITING = 200_000

# So long may one hook keep the others waiting: longer than almost every hook takes, short beside what people notice.
SLOW_SECONDS = 0.1
# Names whose hooks are slow at the same time: each takes a thread until it is done.
MAX_LANES = 32

# How long several events at a time may wait for more of them. One alone does not wait.
GATHER_S = 0.001

# Stands for an event where the loop wants to know that all before it were run.
MARK = ""

Batch = list[tuple[str, Any]]

logger = logging.getLogger("eventhive")


class Lane:
    """A worker thread: the event that it is running, and what waits for it alone once it was slow.

    `begun` counts the events that it has begun, `seen` is what that was when it was last looked at.
    """

    def __init__(self) -> None:
        self.event = ""
        self.begun = self.seen = 0
        self.waiting: deque[tuple[str, Any]] = deque()


class Dispatcher:
    """Calls `run(event, data)` for each event that was `put`, off the loop, those of one name in order.

    `congestion(true or false)` is called in the loop when `congested` changes, `slow(event)` for each hook that is.
    `held()` are events that `run` has put aside, and puts again.
    """

    def __init__(
        self,
        run: Callable[[str, Any], None],
        congestion: Callable[[bool], None],
        slow: Callable[[str], None] = lambda event: None,
        held: Callable[[], int] = lambda: 0,
    ):
        self.congested = False
        self.dropped = 0
        self._slow = slow
        self._held = held
        self._run_one = run
        self._congestion = congestion
        self._relieved: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()
        self._batch: Batch = []
        self._gathering = False
        self._gathered = 0
        self._until = 0.0
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._put = self._done = 0
        self._ended = asyncio.Event()
        # Guards what follows: who takes the next event, and whose lane it belongs to.
        self._lock = threading.Lock()
        self._rest: deque[tuple[str, Any]] = deque()
        self._lanes: dict[str, Lane] = {}
        self._threads: set[threading.Thread] = set()
        self._watching = False
        self._current = Lane()
        self._begin(self._current)

    @property
    def waiting(self) -> int:
        """Events whose hooks did not run yet, or are running, or were put aside."""
        return self._put - self._done + self._held()

    def put(self, event: str, data: Any) -> None:
        """Have the hooks of an event run; called in the loop."""
        if self.congested and self.waiting >= MAX_WAITING:
            self._drop(event)
            return
        self._put += 1
        if not self._gathering:
            self._gathering = True
            self._gathered, self._until = 1, self._loop.time() + GATHER_S
            self._loop.call_soon(self._gather)
        self._batch.append((event, data))

    def feed(self) -> None:
        """Begin with what was put so far: more of it is not to be waited for."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        self._batches.put(batch)
        if not self._watching:
            self._watching = True
            self._loop.call_later(SLOW_SECONDS, self._watch)
        if not self.congested and self.waiting > CONGESTED:
            self.congested = True
            self._congestion(True)

    def when_run(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, in the loop, when all that was put so far was run, but for what slow hooks hold up."""
        self._batch.append((MARK, callback))
        self.feed()

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, in the loop, when `congested` becomes false."""
        self._relieved.append(callback)

    def stop(self) -> None:
        """Let the threads end after what was put before."""
        self.feed()
        self._batches.put(None)

    async def wait(self, seconds: float) -> bool:
        """Wait for the end of the threads; false when it took longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        return self._ended.is_set()

    @property
    def is_current(self) -> bool:
        """True in a thread that runs hooks."""
        return threading.current_thread() in self._threads

    # In the loop

    def _gather(self) -> None:
        count = len(self._batch)
        if count == self._gathered or self._loop.time() >= self._until:
            self._gathering = False
            self.feed()
        else:
            self._gathered = count
            self._loop.call_soon(self._gather)

    def _watch(self) -> None:
        self._watching = self.waiting > 0
        if self._watching:
            self._loop.call_later(SLOW_SECONDS, self._watch)
            with self._lock:
                slow = self._current
                if slow.event and slow.begun == slow.seen and len(self._lanes) < MAX_LANES:
                    self._slow(slow.event)
                    self._lanes[slow.event] = slow
                    self._current = Lane()
                    self._begin(self._current)
                slow.seen = slow.begun

    def _begin(self, lane: Lane) -> None:
        thread = threading.Thread(target=self._run, args=(lane,), name="eventhive-hooks", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _drop(self, event: str) -> None:
        if not self.dropped:
            logger.error("%s is dropped: %d events wait for hooks, which are too slow for them", event, MAX_WAITING)
        self.dropped += 1

    def _relieve(self) -> None:
        if self.congested and self.waiting <= RELIEVED:
            self.congested = False
            self._congestion(False)
            relieved, self._relieved = self._relieved, []
            for callback in relieved:
                callback()

    # In the threads

    def _run(self, lane: Lane) -> None:
        while self._next_batch(lane):
            while (one := self._next(lane)) is not None:
                if one[0] == MARK:
                    self._soon(one[1])
                    continue
                try:
                    self._run_one(*one)
                except SystemExit:
                    # It would end this thread, and with it all hooks.
                    logger.error("%s: sys.exit() in a hook does not end the program", one[0])
            if self.congested and self.waiting <= RELIEVED:
                self._soon(self._relieve)
        with self._lock:
            self._threads.discard(threading.current_thread())
            last = not self._threads
        if last:
            self._soon(self._ended.set)

    def _next_batch(self, lane: Lane) -> bool:
        """Fetch what this thread goes on with; false when it is to end."""
        with self._lock:
            if self._rest and self._current is lane:
                return True
        if lane is not self._current:
            return False
        batch = self._batches.get()
        if batch is None:
            return False
        with self._lock:
            self._rest.extend(batch)
        return True

    def _next(self, lane: Lane) -> tuple[str, Any] | None:
        """The next event for this thread; None when there is none for now, or none any more."""
        with self._lock:
            if lane.event:
                self._done += 1
            one = self._next_besides(lane) if self._lanes else self._rest.popleft() if self._rest else None
            if one is None:
                lane.event = ""
            else:
                lane.event = one[0]
                lane.begun += 1
            return one

    def _next_besides(self, lane: Lane) -> tuple[str, Any] | None:
        """The same while some hooks are slow: what belongs to their lanes is put there."""
        if self._lanes.get(lane.event) is lane:
            if lane.waiting:
                return lane.waiting.popleft()
            del self._lanes[lane.event]
        while self._current is lane and self._rest:
            one = self._rest.popleft()
            slow = self._lanes.get(one[0])
            if slow is None:
                return one
            slow.waiting.append(one)
        return None

    def _soon(self, callback: Callable[[], object]) -> None:
        # Behind its deadline, `stop` does not wait for these threads, and the loop may be closed.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)
