"""The driver of a session: moves events and messages, and is the one file of the core that knows asyncio.

A gateway calls `receive` and `flush` from its transport's callbacks. A device has streams instead of callbacks: `run`
reads, one task writes (two writers of one MicroPython stream send twice), one lets time pass.
"""

import asyncio

from .errors import PeerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from .session import Event, Session


class Pump:
    """Joins a session to `handle(event)` and to a carrier.

    The carrier has `send(message)`, which never waits, and `close(reason)`; for `run` also the coroutines `receive()`
    and `drain()`, which raise OSError or EOFError when the connection is gone, `tick(elapsed_ms)` (or None) and
    `tick_ms`, how often it wants that.
    """

    def __init__(self, session: "Session", carrier: "Any", handle: "Callable[[Event], object]"):
        self.session = session
        self.carrier = carrier
        self._handle = handle

    def receive(self, message: bytes) -> None:
        """Give one carrier message to the session and its events to the handler; what answers it waits for `flush`."""
        self.session.receive_data(message)
        self.take()

    def take(self) -> None:
        """Give the handler the events of what was received before."""
        session = self.session
        try:
            event = session.next_event()
            while event:
                self._handle(event)
                event = session.next_event()
        except PeerError:
            # The session has closed itself, and says why.
            pass

    def flush(self) -> None:
        """Send what the session has to say; close the carrier when it is over."""
        session = self.session
        message = session.data_to_send()
        while message is not None:
            self.carrier.send(message)
            message = session.data_to_send()
        if session.closed:
            self.carrier.close(session.closed)

    async def run(
        self,
        woken: "asyncio.Event",
        settle: "Callable[[], Awaitable[object]]",
        sleep_ms: "Callable[[int], Awaitable[object]]",
        elapsed_ms: "Callable[[], int]",
    ) -> None:
        """Drive the session until it is closed or its carrier is gone; then `session.closed` says why.

        `woken` is an asyncio.Event that is set when there may be something to send, `settle()` a coroutine awaited
        after each message, `sleep_ms` the interpreter's, `elapsed_ms()` the time since its last call.
        """
        session = self.session
        self.carrier.wake = woken.set
        reader: "Any" = asyncio.current_task()
        helpers = [
            asyncio.create_task(self._write(woken, reader)),
            asyncio.create_task(self._tick(woken, sleep_ms, elapsed_ms)),
        ]
        try:
            # What came behind the welcome.
            self.take()
            while not session.closed:
                woken.set()
                await settle()
                self.receive(await self.carrier.receive())
        except (OSError, EOFError) as error:
            session.fail("connection lost: %s" % (str(error) or "the other end is gone"))
        except asyncio.CancelledError:
            # The writer ends a read that would wait for ever; anybody else's wish is passed on.
            if not session.closed:
                raise
        finally:
            for helper in helpers:
                helper.cancel()
            self.carrier.close(session.closed)

    async def _write(self, woken: "asyncio.Event", reader: "asyncio.Task[Any]") -> None:
        try:
            while not self.session.closed:
                self.flush()
                await self.carrier.drain()
                await woken.wait()
                woken.clear()
            self.flush()
            await self.carrier.drain()
        except (OSError, EOFError, MemoryError) as error:
            self.session.fail("connection lost: %s" % (str(error) or "the other end is gone"))
        reader.cancel()

    async def _tick(
        self,
        woken: "asyncio.Event",
        sleep_ms: "Callable[[int], Awaitable[object]]",
        elapsed_ms: "Callable[[], int]",
    ) -> None:
        elapsed_ms()
        while True:
            await sleep_ms(self.carrier.tick_ms)
            elapsed = elapsed_ms()
            self.session.tick(elapsed)
            if self.carrier.tick:
                self.carrier.tick(elapsed)
            woken.set()
