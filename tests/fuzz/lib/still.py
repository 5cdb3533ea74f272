"""An event loop that stands still between inputs, and a transport that is a list: asyncio's callbacks without I/O.

What is scheduled for now runs in `StillLoop.run`; what is scheduled for later never does, as no time passes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from oracle import Finding

ADDRESS = ("127.0.0.1", 50000)

# Callbacks of one input: more are an endless loop.
MAX_CALLBACKS = 100_000


class Handle:
    """What `call_soon` and `call_later` return."""

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...]):
        self.callback: Callable[..., object] | None = callback
        self.args = args

    def cancel(self) -> None:
        """Do not call."""
        self.callback = None


class StillLoop:
    """As much of a loop as callbacks, futures and tasks need."""

    def __init__(self) -> None:
        self._ready: deque[Handle] = deque()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: object = None) -> Handle:
        """As asyncio's."""
        handle = Handle(callback, args)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Handle:
        """As asyncio's, for a time that does not come."""
        return Handle(callback, args)

    def remove_reader(self, descriptor: int) -> None:
        """As asyncio's: nothing is watched."""

    remove_writer = remove_reader

    def create_future(self) -> "asyncio.Future[Any]":
        """As asyncio's."""
        return asyncio.Future(loop=self)  # type: ignore[arg-type]

    def create_task(self, coroutine: Any) -> "asyncio.Task[Any]":
        """As asyncio's."""
        return asyncio.Task(coroutine, loop=self)  # type: ignore[arg-type]

    def time(self) -> float:
        """As asyncio's."""
        return 0.0

    def get_debug(self) -> bool:
        """As asyncio's."""
        return False

    def is_closed(self) -> bool:
        """As asyncio's."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As asyncio's: an exception that nobody has caught."""
        raise Finding(f"{context.get('message')}: {context.get('exception')!r}")

    def run(self) -> None:
        """Run all that is due."""
        for _ in range(MAX_CALLBACKS):
            if not self._ready:
                return
            handle = self._ready.popleft()
            if handle.callback is not None:
                handle.callback(*handle.args)
        raise Finding(f"{MAX_CALLBACKS} callbacks of one input")


@contextmanager
def standing_still() -> Iterator[StillLoop]:
    """A loop that counts as the running one."""
    loop = StillLoop()
    asyncio._set_running_loop(loop)  # type: ignore[arg-type]
    try:
        yield loop
    finally:
        asyncio._set_running_loop(None)


class Transport:
    """A connection of a protocol; `written` is what it has sent, `over` is set when it is cut off."""

    def __init__(self, loop: StillLoop, protocol: Any):
        self.written: list[bytes] = []
        self.over = False
        self._loop = loop
        self._protocol = protocol
        protocol.connection_made(self)

    def feed(self, data: bytes) -> None:
        """Bytes arrive."""
        if not self.over:
            self._protocol.data_received(data)
            self._loop.run()

    def end(self) -> None:
        """The other end is gone."""
        self.abort()
        self._loop.run()

    def get_extra_info(self, name: str) -> object:
        """As asyncio's."""
        return ADDRESS if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        """As asyncio's: nothing waits."""
        return 0

    def set_write_buffer_limits(self, high: int) -> None:
        """As asyncio's."""

    def write(self, data: bytes) -> None:
        """As asyncio's."""
        self.written.append(bytes(data))

    def can_write_eof(self) -> bool:
        """As asyncio's."""
        return True

    def write_eof(self) -> None:
        """As asyncio's."""

    def pause_reading(self) -> None:
        """As asyncio's."""

    resume_reading = pause_reading

    def abort(self) -> None:
        """As asyncio's."""
        if not self.over:
            self.over = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    close = abort
