"""The loop in which `async def` hooks run: one for the process, in a thread of its own.

Rules of this file:
1. The thread starts with the first such hook and is a daemon. Whatever a hook raises ends that hook alone.
2. Other threads may wait for a hook; a thread that runs a loop must not, and gets a future.
"""

import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future


class HookLoop:
    """`run` starts coroutines; `is_current` is true in the thread that they run in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_current(self) -> bool:
        """True in the thread of the loop."""
        return threading.current_thread() is self._thread

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Have a coroutine run, in a copy of this thread's context; from any thread."""
        from concurrent.futures import Future

        future: Future[Any] = Future()
        self._running_loop().call_soon_threadsafe(self._start, coroutine, future)
        return future

    def _running_loop(self) -> "asyncio.AbstractEventLoop":
        with self._lock:
            # A forked process has the object and not the thread.
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                import asyncio

                self._loop = loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(loop,), name="eventhive-async-hooks", daemon=True
                )
                self._thread.start()
            return self._loop

    def _start(self, coroutine: Coroutine[Any, Any, Any], future: "Future[Any]") -> None:
        import asyncio

        task = asyncio.get_running_loop().create_task(_settle(coroutine, future))
        # A loop keeps weak references only.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _serve(loop: "asyncio.AbstractEventLoop") -> None:
    import asyncio

    asyncio.set_event_loop(loop)
    loop.run_forever()


async def _settle(coroutine: Coroutine[Any, Any, Any], future: "Future[Any]") -> None:
    try:
        result = await coroutine
    except BaseException as error:
        # Also SystemExit, which would end the loop: it belongs to who waits for this hook.
        future.set_exception(error)
    else:
        future.set_result(result)


def in_loop() -> bool:
    """True in a thread whose asyncio loop is running, so that it must not wait."""
    import asyncio

    return asyncio._get_running_loop() is not None


HOOKS = HookLoop()
