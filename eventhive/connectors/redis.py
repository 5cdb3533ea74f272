"""A network on Redis: an event is published on the channel of its full name, as the JSON text of its data.

That is what EventHive 0.5.0 does. An event is kept until the server has answered its PUBLISH, and is published again
after a reconnect: at least once, in order. Redis keeps nothing for who is away: what others publish during an outage is
lost. Own events do not come back (see `echoes.py`); how events are subscribed, and why, is in `redis_session.py`.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Mapping
from typing import Any

from redis.exceptions import AuthenticationError

from ..classic import Payload
from ..core.backoff import delays
from ..core.errors import PeerError
from . import base
from .backlog import Backlog
from .base import FIRST_PAUSE_MS, MAX_PAUSE_MS, Confirm, Connector, Nobody, logger
from .redis_servers import ERRORS, reason, servers
from .redis_session import Event, Session, cancel

# For looking up, connecting and logging in, on both connections.
CONNECT_SECONDS = 10.0

# What a server of 0.5.0 takes at most; Redis itself hands on 512 MB.
MAX_RECEIVED_BYTES = 16 * 1024 * 1024
# What takes the place of longer data, and of what is not UTF-8: no JSON, so that it is counted and reported as such.
NO_TEXT = "\ufffd"


class RedisConnector(Connector):
    """Joins this process to a Redis server; `init` are keywords of redis-py (docs/redis.md). Raises `UnusableInit`."""

    def __init__(self, network: str, init: Mapping[str, Any]):
        super().__init__(network)
        self.unsent: deque[Event] = deque()
        self._servers = servers(init)
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._topics: dict[bytes, str] = {}
        self._backlog = Backlog(network)
        self._paused = self._withdrawn = False

    @property
    def ready(self) -> bool:
        """False while it has as many events as it takes."""
        return self._backlog.ready

    def start(self) -> None:
        """Connect, and connect again, until `stop`."""
        self.state = f"connecting to {self._servers}"
        self._task = asyncio.get_running_loop().create_task(self._run())

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """Send an event, or keep it until there is a connection. One server of a cluster does not know who got it."""
        payload.check()
        self._backlog.check(self._servers)
        event = Event(topic.encode(), payload.text.encode(), confirm, nobody)
        self._backlog.add(len(event.data))
        self.unsent.append(event)
        if self._session is not None:
            self._session.publish()
        return False

    def subscribe(self, topic: str) -> None:
        """Subscribe a topic, now and after each reconnect."""
        key = topic.encode()
        if key not in self._topics:
            self._topics[key] = topic
            if self._session is not None:
                self._session.subscribe(key)

    def unsubscribe(self, topic: str) -> None:
        """The reverse."""
        key = topic.encode()
        if self._topics.pop(key, None) is not None and self._session is not None:
            self._session.unsubscribe(key)

    def pause(self) -> None:
        """Leave what the server sends in its hands."""
        self._paused = True
        if self._session is not None:
            self._session.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._session is not None:
            self._session.resume()

    def withdraw(self) -> list[base.Event]:
        """Give back what has no answer. Of what may have been received, nobody is told that it was not."""
        session, self._session = self._session, None
        doubtful = [event._replace(nobody=None) for event in session.unanswered] if session is not None else []
        waiting = [*doubtful, *self.unsent]
        self.unsent.clear()
        self._backlog.clear()
        self._withdrawn = True
        return [
            (event.topic.decode(), Payload(text=event.data.decode()), event.confirm, event.nobody) for event in waiting
        ]

    async def stop(self, seconds: float) -> int:
        """Wait for the server's answers, then disconnect."""
        await self._backlog.drain(seconds)
        if self._task is not None:
            await cancel(self._task)
        await self._servers.close()
        self._became(False, "stopped")
        return self._backlog.events

    # For the session

    def subscribed(self) -> None:
        """All is subscribed: whoever calls an event of ours from now on is heard."""
        self._became(True, f"connected to {self._servers}")
        self.settled.set()

    def answered(self, event: Event, receivers: int) -> None:
        """The server has an event."""
        if self._withdrawn:
            # Somebody else passes it on, and tells.
            return
        if event.nobody is not None and not receivers and self._servers.alone:
            event.nobody()
        if event.confirm is not None:
            event.confirm()
        if self._backlog.remove(len(event.data)):
            self.relieved()

    def received(self, topic: bytes, data: bytes) -> None:
        """An event of somebody else."""
        name = self._topics.get(topic)
        if name is None:
            return
        try:
            text = data.decode() if len(data) <= MAX_RECEIVED_BYTES else NO_TEXT
        except UnicodeDecodeError:
            text = NO_TEXT
        self.deliver(name, Payload(text=text))

    # The rest is private.

    async def _run(self) -> None:
        pauses = delays(random.randrange, FIRST_PAUSE_MS, MAX_PAUSE_MS)
        while True:
            error = await self._attempt()
            if self.connected:
                pauses = delays(random.randrange, FIRST_PAUSE_MS, MAX_PAUSE_MS)
            self._became(False, f"waiting for {self._servers}: {reason(error)}", logging.WARNING)
            self.settled.set()
            # A password does not become right by trying it often; servers log each attempt.
            pause = MAX_PAUSE_MS if isinstance(error, AuthenticationError) else next(pauses)
            await asyncio.sleep(pause / 1000)

    async def _attempt(self) -> Exception:
        """Connect and stay connected; returns why that came to its end."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                publisher, subscriber = await self._servers.connect()
            session = Session(publisher, subscriber, self)
            try:
                await self._joined(session)
            finally:
                self._session = None
                self.unsent.extendleft(reversed(session.unanswered))
        except (*ERRORS, OSError, PeerError, RuntimeError) as error:
            # RuntimeError: names cannot be looked up any more while the interpreter is going down.
            return error
        except Exception as error:
            # A fault of this program, or of redis-py: the network must outlive it.
            logger.exception("%s: unexpected", self.network)
            return error
        return PeerError("disconnected")

    async def _joined(self, session: Session) -> None:
        self._session = session
        for topic in self._topics:
            session.subscribe(topic)
        if self._paused:
            session.pause()
        await session.run()
