"""A hive in one process: the networks of a configuration, their servers, and the hooks of this program.

Rules of this file:
1. One loop in one daemon thread carries everything; hooks run in another. Programs use it from any thread.
2. `stop` flushes with a deadline, and runs at the end of the interpreter too; nothing keeps a program from ending.
"""

import asyncio
import atexit
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol, TypeVar

from . import config
from .core.errors import LocalError
from .core.names import split_name
from .eventlist import ProgramEvents
from .exceptions import RequestError
from .joined import SETTLE_SECONDS, Joined, Running
from .running import Runner

# How long `stop` lets events leave.
FLUSH_SECONDS = 5.0
# Beyond its deadline, `stop` gives the loop this long to end.
END_SECONDS = 2.0

T = TypeVar("T")

logger = logging.getLogger("eventhive")


class Guest(Protocol):
    """Something that lives in the loop of a hive."""

    async def start(self) -> None:
        """Begin; may raise `LocalError`."""

    async def stop(self) -> None:
        """End, also after `start` failed."""


class Started(NamedTuple):
    """What `init` brought up; true where every network is connected.

    `up` are the networks that are connected, `down` why the others are not, by name, `servers` the addresses on which
    this process serves networks.
    """

    up: list[str]
    down: dict[str, str]
    servers: dict[str, str]

    def __bool__(self) -> bool:
        return not self.down


class Hive:
    """The running networks of a configuration.

    `events` are the events of this program: those called `channel/event` are subscribed on each network whose input
    channel that is, whenever they are declared. `running` are the dicts that hold
    connectors, servers and announcements of servers, by the names of their networks. Other attributes: `networks` by
    name, `loop`, and `joined`, by which networks are joined and left while it runs.
    """

    def __init__(self, settings: config.Config, events: ProgramEvents, running: Running | None = None):
        self.config = settings
        self.events = events
        self.loop = asyncio.new_event_loop()
        self.joined = Joined(events, self.loop, running or ({}, {}, {}))
        self.networks, self.connectors = self.joined.networks, self.joined.connectors
        self.servers, self.broadcasters = self.joined.servers, self.joined.broadcasters
        self._guests: list[Guest] = []
        self._unknown: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="eventhive-loop", daemon=True)
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def congested(self) -> bool:
        """True while the hooks of this process are behind; whoever can should take in less."""
        return self._runner.dispatcher.congested

    def start(self, prepare: "Callable[[Hive], None] | None" = None, settle: float = SETTLE_SECONDS) -> None:
        """Bring everything up; returns when each network is connected or known not to be, or after `settle` seconds.

        `prepare(hive)` is called in the loop when there are all networks and none is connected, so that what it
        subscribes is subscribed with the connection. Raises `LocalError`.
        """
        self._thread.start()
        atexit.register(self.stop)
        try:
            self.run_in_loop(self._start(prepare, settle))
        except BaseException:
            self.stop(0)
            raise

    def stop(self, timeout: float = FLUSH_SECONDS) -> None:
        """Run the hooks of what was received, send what was called, and end; `timeout` seconds are allowed for it."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        atexit.unregister(self.stop)
        self.events.declared = self.events.cleared = None
        if not self._thread.is_alive():
            return
        in_hook = self._runner.is_current
        try:
            asyncio.run_coroutine_threadsafe(self._stop(timeout, in_hook), self.loop).result(timeout + END_SECONDS)
        except TimeoutError:
            logger.error("the hive did not stop within %g s", timeout + END_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(END_SECONDS)

    def attach(self, guest: Guest) -> None:
        """Start something that lives in this loop; it is stopped with the hive."""
        self._guests.append(guest)
        self.run_in_loop(guest.start())

    def run_in_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop of the hive and return its result; not to be called from that loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def call(self, event: str, data: Any) -> bool:
        """Send an event of the full name `network/channel/event`; from any thread, returns at once.

        False: it is not sent, which is logged. Raises `LocalError` when the data is not JSON.
        """
        network = split_name(event)[0] or ""
        hooked = self.joined.hooked.get(network)
        if hooked is None:
            self._warn_unknown(event, network)
            return False
        try:
            return hooked.network.call(event, data, hooked.origin)
        except RuntimeError:
            logger.error("%s is not sent: the hive has stopped", event)
            return False

    def request(self, event: str, data: Any, timeout: float) -> "Future[Any]":
        """Call an event of the full name `network/channel/event` and get what its hook returns; from any thread.

        The future has a `RequestError` where there is no answer within `timeout` seconds. Raises `LocalError` when the
        data is not JSON, or the network is not configured.
        """
        name = split_name(event)[0] or ""
        hooked = self.joined.hooked.get(name)
        if hooked is None:
            known = ", ".join(self.networks) or "none"
            raise LocalError(f"{event}: there is no connector '{name}' (there are: {known})")
        future: Future[Any] = Future()

        def answered(value: Any, error: RequestError | None) -> None:
            if future.set_running_or_notify_cancel():
                if error is None:
                    future.set_result(value)
                else:
                    future.set_exception(error)

        try:
            hooked.network.ask(event, data, timeout, answered, hooked.origin)
        except RuntimeError:
            raise RequestError(f"{event} is not sent: the hive has stopped") from None
        return future

    @property
    def started(self) -> Started:
        """What is up now."""
        return Started(
            [name for name, one in self.connectors.items() if one.connected],
            {name: one.state for name, one in self.connectors.items() if not one.connected},
            {name: f"{one.host}:{one.port}" for name, one in self.servers.items()},
        )

    # The rest is private.

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    async def _start(self, prepare: "Callable[[Hive], None] | None", settle: float) -> None:
        self._runner = Runner(self.events, self._congestion)
        self.joined.dispatcher = self._runner.dispatcher
        for name in {**self.config.servers, **self.config.connectors}:
            self.joined.make(name, self.config)
        self.events.declared = self._declared
        self.events.cleared = self._cleared
        for name in self.events.match():
            self.joined.subscribe(name)
        if prepare is not None:
            prepare(self)
        # All to their end: what fails stops what has begun.
        for error in await asyncio.gather(*self.joined.starts(), return_exceptions=True):
            if error is not None:
                raise error
        settled = [asyncio.ensure_future(one.settled.wait()) for one in self.connectors.values()]
        if settled:
            _, waiting = await asyncio.wait(settled, timeout=settle)
            for task in waiting:
                task.cancel()

    def _declared(self, name: str) -> None:
        self.loop.call_soon_threadsafe(self.joined.subscribe, name)

    def _cleared(self, names: list[str]) -> None:
        for name in names:
            self.loop.call_soon_threadsafe(self.joined.unsubscribe, name)

    def _congestion(self, congested: bool) -> None:
        if congested:
            logger.warning("hooks are behind: %d events wait for them", self._runner.dispatcher.waiting)
        for connector in self.connectors.values():
            if congested:
                connector.pause()
            else:
                connector.resume()

    def _warn_unknown(self, event: str, network: str) -> None:
        if network not in self._unknown:
            self._unknown.add(network)
            known = ", ".join(self.networks) or "none"
            logger.warning("%s is not sent: there is no connector '%s' (there are: %s)", event, network, known)

    async def _stop(self, timeout: float, in_hook: bool) -> None:
        end = self.loop.time() + timeout
        for guest in reversed(self._guests):
            await guest.stop()
        # Hooks first, for half of the time: what they call is still sent.
        if in_hook:
            self._runner.leave()
        else:
            await self._runner.stop(timeout / 2)
        memberships = list(self.joined.memberships.values())
        await asyncio.gather(*[one.stay() for one in memberships])
        left = max(end - self.loop.time(), 0)
        lost = await asyncio.gather(*[network.stop(left) for network in self.networks.values()])
        for name, count in zip(self.networks, lost, strict=True):
            if count:
                logger.error("%s: %d events were not sent in time", name, count)
        await asyncio.gather(*[one.stop(max(end - self.loop.time(), 0)) for one in memberships])
        # What was cut off is closed by the loop in its next iteration.
        await asyncio.sleep(0)
