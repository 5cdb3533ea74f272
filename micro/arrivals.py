"""What arrives for the program's hooks; loaded with the first event that does."""

import asyncio

from eventhive.core.envelope import ASK, EVENT, ONCE, REPLY
from eventhive.core.names import local_name
from eventhive.core.session import REJECTED

from .port import print_exception, sleep_ms, ticks_diff, ticks_ms

# Coroutines of hooks that run at a time; what arrives then waits until one has ended. Each is a task in a small heap.
MAX_TASKS = 8


class Arrivals:
    """Acknowledges what arrives at the node, counts it, and runs the hooks one after the other.

    A hook that is a coroutine goes on beside what follows it.
    """

    def __init__(self, node):
        self._node = node
        self._waiting = []
        self._tasks = []
        self._ended = asyncio.Event()
        self._error = None

    def take(self, event):
        """Take one event of the session."""
        session = self._node.session
        self._node.mark = session.marks
        kind = event[0]
        if kind == EVENT or kind == ONCE or kind == ASK:
            self._waiting.append((session, event, ticks_ms()))
        elif kind == REPLY:
            self._requests().take(*event[1:])
        elif kind == REJECTED:
            self._node.rejected += 1
        if kind == EVENT or kind == REJECTED:
            session.incoming().confirm()

    async def settle(self):
        """Run the hooks of what was taken."""
        # A turn of the loop: the writer sends the acknowledgements before any hook runs, as a hook may reset the board.
        node = self._node
        while self._waiting:
            await sleep_ms(0)
            session, event, since = self._waiting.pop(0)
            if len(event) > 4 and event[0] == EVENT and ticks_diff(ticks_ms(), since) >= event[4]:
                node.expired += 1
                continue
            node.received += 1
            self._error = None
            results = node.events.deliver(local_name(event[1]), event[2], self._failed) if node.events else []
            if not results:
                node.unclaimed += 1
            if [one for one in results if hasattr(one, "throw")]:
                while len(self._tasks) >= MAX_TASKS:
                    self._ended.clear()
                    await self._ended.wait()
                self._tasks.append(asyncio.create_task(self._finish(session, event, results, self._error)))
            elif event[0] == ASK:
                self._requests().answer(session, event[3], results, self._error)

    async def _finish(self, session, event, results, error):
        """Wait for coroutines among the results of one event's hooks."""
        ended = []
        for one in results:
            if hasattr(one, "throw"):
                try:
                    one = await one
                except Exception as raised:
                    error = error or raised
                    self._failed(local_name(event[1]), None, raised)
            ended.append(one)
        if event[0] == ASK:
            self._requests().answer(session, event[3], ended, error)
        self._tasks.remove(asyncio.current_task())
        self._ended.set()

    def _requests(self):
        from .requests import requests

        return requests(self._node)

    def _failed(self, name, function, error):
        self._error = self._error or error
        self._node.failed += 1
        self._node.log("eventhive: a hook of %s failed:" % name)
        print_exception(error)
