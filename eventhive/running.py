"""The hooks of a program as a hive runs them: off its loop, in order for each name, and each on its own.

Rules of this file:
1. Nothing that a hook does reaches the loop, or another hook.
2. A coroutine is waited for without a thread: what follows it goes on when it has ended.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from .coroutines import HOOKS
from .delivery import Delivery
from .dispatch import SLOW_SECONDS, Dispatcher
from .eventlist import ProgramEvents
from .once import Arrival
from .replies import Question, first_result
from .turns import Turns

# How often `stop` looks whether hooks are done; nothing else waits for that.
LOOK_SECONDS = 0.005

logger = logging.getLogger("eventhive")


class Runner:
    """Runs the hooks of `events` on what is put into its `dispatcher`; made in the loop of the hive.

    `congestion(true or false)` is called when hooks are behind, and no more.
    """

    def __init__(self, events: ProgramEvents, congestion: Callable[[bool], None]):
        self._events = events
        self._turns = Turns()
        self._loop = asyncio.get_running_loop()
        self.dispatcher = Dispatcher(self._run, congestion, self._slow, lambda: self._turns.count)

    @property
    def is_current(self) -> bool:
        """True in a thread that runs hooks."""
        return self.dispatcher.is_current or HOOKS.is_current

    async def stop(self, seconds: float) -> None:
        """Let what was put before be dealt with, and end the threads; what takes longer is logged."""
        end = self._loop.time() + seconds
        # Not yet ended: what follows a coroutine needs a thread.
        while self.dispatcher.waiting and self._loop.time() < end:
            await asyncio.sleep(LOOK_SECONDS)
        self.dispatcher.stop()
        await self.dispatcher.wait(max(end - self._loop.time(), 0))
        if self.dispatcher.waiting:
            logger.error("%d received events were not, or not yet, dealt with by hooks", self.dispatcher.waiting)

    def leave(self) -> None:
        """End the threads as soon as each has nothing to do, and wait for none."""
        self.dispatcher.stop()

    # In the threads of the dispatcher

    def _run(self, event: str, data: Any) -> None:
        if not isinstance(data, Delivery):
            if not self._turns.wait(event, data):
                self._begin(event, data)
            return
        ended = self._go_on(event, data)
        while ended:
            following = self._turns.next(event)
            if following is None:
                return
            ended = self._begin(event, following[0])

    def _begin(self, event: str, data: Any) -> bool:
        if isinstance(data, Question):
            self._answer(event, data)
            return True
        if isinstance(data, Arrival):
            delivery = self._events.deliver(event, data.data)
            if delivery is not None:
                # Without hooks by now, it stays where it comes from.
                delivery.ended = data.ended
        else:
            delivery = self._events.deliver(event, data)
        return delivery is None or self._go_on(event, delivery)

    def _go_on(self, event: str, delivery: Delivery) -> bool:
        """Run the hooks up to a coroutine; false when there is one, which has to end first."""
        under_way = delivery.run()
        if under_way is None:
            if delivery.ended is not None:
                delivery.ended()
            return True
        self._turns.take(event)
        began = self._loop.time()

        def ended(future: Any) -> None:
            if self._loop.time() - began > SLOW_SECONDS:
                self._slow(event)
            # The hive may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.dispatcher.put, event, delivery)

        under_way.add_done_callback(ended)
        return False

    def _answer(self, event: str, question: Question) -> None:
        try:
            results = self._events[event](question.data)
        except KeyError:
            question.nobody()
        except Exception as error:
            self._events.failed += 1
            logger.error("%s: a hook that was asked raised %s: %s", event, type(error).__name__, error)
            question.fail(f"{type(error).__name__}: {error}")
        else:
            if results:
                question.answer(first_result(results))
            else:
                question.nobody()

    def _slow(self, event: str) -> None:
        self._events.slow += 1
        logger.debug("%s: a hook takes longer than %g s", event, SLOW_SECONDS)
