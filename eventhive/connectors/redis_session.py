"""A pair of connections to one Redis server, from the moment both are there until the first of them is lost.

Rules of this file:
1. One connection publishes and one is subscribed: they share their fate, so that what is known of one holds for both.
2. Names are subscribed exactly, never as patterns: PUBLISH then answers how many have the event, nothing travels that
   nobody hooked, and `[` in a name is no wildcard. It reaches what 0.5.0 publishes, and publishes what its pattern
   `<network>/<input_channel>/*` takes. An event that is declared later is subscribed then.
3. A subscription changes only while no publish is under way, and nothing is published until the change is answered. So
   it is certain for each event whether it comes back (see `echoes.py`).
4. redis-py connects, logs in, packs and parses. Its PubSub and Pipeline are not used: they take three to four times as
   long for an event, and reconnect in ways of their own.
"""

import asyncio
import math
from collections import deque
from typing import NamedTuple, Protocol, TypeVar

from redis.asyncio import Connection
from redis.exceptions import ResponseError

from ..core.errors import PeerError
from .base import KEEPALIVE_SECONDS, Confirm, Nobody, logger
from .echoes import Echoes

# Data of one write. More would not be faster.
BATCH_BYTES = 64 * 1024
# While reading is paused, own events cannot come back; from here on, publishing waits for them.
MAX_ECHOES = 100_000

_ANSWERS = (b"subscribe", b"unsubscribe", b"pong")
# A task that was cancelled ends in the next iterations of the loop.
CANCEL_SECONDS = 0.1

Command = tuple[bytes, ...]
_PING: Command = (b"PING",)


class Event(NamedTuple):
    """An event that is to be published."""

    topic: bytes
    data: bytes
    confirm: Confirm | None
    nobody: Nobody | None


class Owner(Protocol):
    """What a session needs of its connector."""

    network: str
    unsent: deque[Event]

    def subscribed(self) -> None:
        """Every subscription that was asked for is answered."""

    def answered(self, event: Event, receivers: int) -> None:
        """The server has an event."""

    def received(self, topic: bytes, data: bytes) -> None:
        """An event that somebody else published."""


class Session:
    """Publishes what `owner.unsent` holds and subscribes what it is told to; `run` it once."""

    def __init__(self, publisher: Connection, subscriber: Connection, owner: Owner):
        self._publisher = publisher
        self._subscriber = subscriber
        self._owner = owner
        self._subscribed: set[bytes] = set()
        # Commands for the subscriber: changes, which wait for the publishes under way, and others.
        self._changes: list[Command] = []
        self._commands: list[Command] = []
        # Those of both without an answer, and how many changes have none, sent or not.
        self._asked: deque[Command] = deque()
        self._unsettled = 0
        # Publishes without an answer, and whether they come back; None is a ping.
        self._under_way: deque[tuple[Event, bool] | None] = deque()
        self._echoes = Echoes()
        self._sent = self._answered = 0
        # Up to which event the ping under way tells that it has come back.
        self._fence: int | None = None
        self._ping_due = False
        self._heard_publisher = self._heard_subscriber = True
        self._publishing, self._asking, self._reading = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._reading.set()

    @property
    def unanswered(self) -> list[Event]:
        """What was sent and has no answer, in order."""
        return [one[0] for one in self._under_way if one is not None]

    async def run(self) -> None:
        """Work until a connection is lost, then raise why; or until cancelled. Both connections are closed then."""
        if not self._unsettled:
            self._owner.subscribed()
        self.publish()
        work = (self._publish(), self._answers(), self._ask(), self._messages(), self._keep_alive())
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await cancel(*tasks)
            await self._publisher.disconnect(nowait=True)
            await self._subscriber.disconnect(nowait=True)

    def publish(self) -> None:
        """There is something in `owner.unsent`."""
        self._publishing.set()

    def subscribe(self, topic: bytes) -> None:
        """Have the events of a topic received."""
        self._change((b"SUBSCRIBE", topic))

    def unsubscribe(self, topic: bytes) -> None:
        """The reverse."""
        self._change((b"UNSUBSCRIBE", topic))

    def pause(self) -> None:
        """Receive nothing: the server keeps it, as far as its `client-output-buffer-limit pubsub` allows."""
        self._heard_subscriber = True
        self._reading.clear()

    def resume(self) -> None:
        """Receive again."""
        self._heard_subscriber = True
        self._reading.set()

    # The publisher

    async def _publish(self) -> None:
        connection = self._publisher
        while True:
            await self._publishing.wait()
            self._publishing.clear()
            while commands := self._next_commands():
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)

    def _next_commands(self) -> list[Command]:
        unsent, commands, size = self._owner.unsent, list[Command](), 0
        if self._ping_due:
            self._ping_due = False
            self._under_way.append(None)
            commands.append(_PING)
        while unsent and size < BATCH_BYTES and not self._unsettled and len(self._echoes) < MAX_ECHOES:
            event = unsent.popleft()
            topic, data = event[:2]
            returns = topic in self._subscribed
            self._sent += 1
            if returns:
                self._echoes.expect(self._sent, topic, data)
            self._under_way.append((event, returns))
            commands.append((b"PUBLISH", topic, data))
            size += len(data)
        return commands

    async def _answers(self) -> None:
        read = self._publisher.read_response
        while True:
            try:
                answer = await read(timeout=math.inf, disconnect_on_error=False)
            except ResponseError as error:
                answer = error
            self._heard_publisher = True
            one = _expected(self._under_way)
            if one is not None:
                self._answer(*one, answer)
            if self._changes and not self._under_way:
                self._asking.set()

    def _answer(self, event: Event, returns: bool, answer: object) -> None:
        self._answered += 1
        if isinstance(answer, ResponseError):
            # Kept, it would be refused again after each reconnect.
            logger.error("%s: the server refused %s: %s", self._owner.network, event.topic.decode(), answer)
        self._owner.answered(event, max(answer - returns, 0) if isinstance(answer, int) else 0)
        if self._echoes:
            self._raise_fence()

    # The subscriber

    def _change(self, command: Command) -> None:
        self._changes.append(command)
        self._unsettled += 1
        self._asking.set()

    async def _ask(self) -> None:
        connection = self._subscriber
        while True:
            await self._asking.wait()
            self._asking.clear()
            commands, self._commands = self._commands, []
            if not self._under_way:
                commands += self._changes
                self._changes = []
            if commands:
                self._asked += commands
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)

    async def _messages(self) -> None:
        read = self._subscriber.read_response
        while True:
            if not self._reading.is_set():
                await self._reading.wait()
            try:
                message = await read(timeout=math.inf, disconnect_on_error=False, push_request=True)
            except ResponseError as error:
                self._settle(error)
                continue
            self._heard_subscriber = True
            kind = message[0] if isinstance(message, list) else b"pong"
            if kind == b"message":
                self._message(message[1], message[2])
            elif kind in _ANSWERS:
                self._settle(None)

    def _message(self, topic: bytes, data: bytes) -> None:
        if not self._echoes or not self._echoes.take(topic, data):
            self._owner.received(topic, data)
        elif self._owner.unsent:
            self._publishing.set()

    def _settle(self, error: ResponseError | None) -> None:
        command = _expected(self._asked)
        if command is _PING:
            self._lower_fence()
            return
        verb, topic = command
        if error is not None:
            refused = "%s: the server refused to %s %s: %s"
            logger.error(refused, self._owner.network, verb.decode().lower(), topic.decode(), error)
        elif verb == b"SUBSCRIBE":
            self._subscribed.add(topic)
        else:
            self._subscribed.discard(topic)
        self._unsettled -= 1
        if not self._unsettled:
            self._owner.subscribed()
            self._publishing.set()

    # Both

    def _raise_fence(self) -> None:
        # An answered event was written to the subscriber before: what that is asked now, it answers later.
        number = self._echoes.next
        if self._fence is None and number is not None and number <= self._answered:
            self._ping_subscriber()

    def _ping_subscriber(self) -> None:
        self._fence = self._answered
        self._commands.append(_PING)
        self._asking.set()

    def _lower_fence(self) -> None:
        self._echoes.forget(self._fence or 0)
        self._fence = None
        self._raise_fence()
        self._publishing.set()

    async def _keep_alive(self) -> None:
        seconds = self._publisher.health_check_interval or KEEPALIVE_SECONDS
        while True:
            self._heard_publisher = False
            self._heard_subscriber = not self._reading.is_set()
            self._ping_due = True
            self._publishing.set()
            if self._fence is None:
                self._ping_subscriber()
            await asyncio.sleep(seconds)
            if not (self._heard_publisher and self._heard_subscriber):
                raise PeerError(f"no answer for {seconds:g} s")


async def cancel(*tasks: "asyncio.Future[None]") -> None:
    """Cancel tasks and wait for their end, whatever it is.

    Before Python 3.12, `asyncio.wait_for` may lose a cancellation, and redis-py uses it: then it is repeated.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=CANCEL_SECONDS)
        for task in done:
            # Read, so that asyncio does not report it as never retrieved.
            _ = task.cancelled() or task.exception()


T = TypeVar("T")


def _expected(pending: deque[T]) -> T:
    if not pending:
        raise PeerError("an answer to nothing: this is no Redis server")
    return pending.popleft()
