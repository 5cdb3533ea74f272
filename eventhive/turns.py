"""Events of one name take turns while a coroutine of one of them is waited for.

Threads that run hooks do not wait for coroutines. What comes for the same name meanwhile waits here, so that it does
not overtake; other names go on.
"""

import threading
from collections import deque
from typing import Any


class Turns:
    """Who waits for whom; from any thread. `count` are the events that are under way, or wait."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Any]] = {}

    def wait(self, event: str, data: Any) -> bool:
        """Queue an event behind the one of its name that is under way; false when there is none."""
        if event not in self._queues:
            return False
        with self._lock:
            queue = self._queues.get(event)
            if queue is None:
                return False
            queue.append(data)
            self.count += 1
            return True

    def take(self, event: str) -> None:
        """An event of this name is under way, until `next` finds nothing."""
        with self._lock:
            if event not in self._queues:
                self._queues[event] = deque()
                self.count += 1

    def next(self, event: str) -> tuple[Any] | None:
        """The one under way has ended: the data of the next, in a tuple, whose turn it is; None where nobody waits."""
        with self._lock:
            self.count -= 1
            queue = self._queues[event]
            if queue:
                return (queue.popleft(),)
            del self._queues[event]
            return None
