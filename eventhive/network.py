"""One network of a hive: its connector, and who takes part in it in this process.

Rules of this file:
1. An event goes to the connector first, then to the participants of this process; never back to where it came from.
2. Events with an identity (`once.py`) take their own way to hooks, which confirm them; nobody else is asked to.
3. `call` may be used from any thread; everything else belongs to the loop.
"""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from .classic import Payload, dumps, with_metadata
from .connectors.base import Confirm, Connector
from .core.errors import LimitError
from .dispatch import Dispatcher
from .identified import Confirmations, Identified, IdentifiedPayload
from .once import ONCE, TAKEN, Answer, Identity, Receiver, identity_of
from .participants import Members, Observer, Participant, Participants
from .replies import Answered, Pending, Requests, marked, required, unmarked
from .sealing import Sealing
from .seals.base import Seal

# Called events that wait for the connector: minutes of an outage for a program that sends a hundred a second.
MAX_CALLS = 100_000
# A thread that calls faster than a working carrier takes is held up at most so long for one event.
ROOM_SECONDS = 10.0
# Events sent without looking after anything else.
SLICE = 500

logger = logging.getLogger("eventhive")


class Network:
    """`name` is the first part of its events' names; `input_channel` the second of those that this process hooks.

    `sealing` is the way to the connector. Counters: `dropped` called events that no place was left for.
    """

    def __init__(
        self,
        name: str,
        input_channel: str,
        connector: Connector,
        metadata_key: str,
        hooks: Dispatcher,
        requests: Requests,
        seal: Seal | None = None,
    ):
        self.name = name
        self.input_channel = input_channel
        self.connector = connector
        self.sealing = Sealing(connector, seal)
        self.dropped = 0
        self._metadata_key = metadata_key
        self._hooks = hooks
        self._requests = requests
        self._participants = Participants()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._calls: deque[tuple[str, Payload, Participant | None, Pending | None]] = deque()
        self._woken = False
        self._room = threading.Event()
        self._emptied = asyncio.Event()
        later, soon = self._loop.call_later, self._loop.call_soon_threadsafe
        self._receiver = Receiver(self._confirm_soon, self._confirm, later, soon)
        self._confirmed: Callable[[Iterable[Answer]], None] = lambda answers: None
        self.sealing.deliver = self._received
        self.sealing.relieved = self._send_calls

    def publish(self, topic: str, data: Any, origin: object = None, confirm: Confirm | None = None) -> bool:
        """Pass an event on to everyone but `origin`. True: the carrier has it; False: `confirm` is called once it has.

        Confirming is also put off while the hooks of this process are behind, so that senders slow down. Raises
        `LimitError` when no more can wait for the carrier; then nobody got it.
        """
        payload = Payload(self._complete(topic, data) if self._metadata_key else data)
        done = self._publish(topic, payload, origin, confirm)
        if not done or not self._hooks.congested:
            return done
        if confirm is not None:
            self._hooks.when_relieved(confirm)
        return False

    def publish_once(self, events: Iterable[Identified], carried: Confirm | None = None) -> int:
        """Pass events on with their identities (see `once.py`): (name, data, device, stream, number, before, origin).

        Returns how many were: those from the first on for which there was room with the carrier. Who has hooks of one
        confirms it to `confirmed` of `expect`; `carried` is called for each when the carrier has it, now or later.
        """
        requests, participants = self._requests, self._participants
        last, count = "", 0
        members: Members = [], []
        alone = False
        for topic, data, device, stream, number, before, origin in events:
            if topic != last:
                last, members = topic, participants.members(topic)
                alone = carried is None and self.connector.alone(topic)
            own = requests.topic, device, stream, number, before
            if not alone and not self._send(topic, data, own, carried):
                break
            participants.take(topic, data, own, self._receiver, self._hooks.congested, members, origin)
            count += 1
        return count

    def expect(self, confirmed: Callable[[Iterable[Answer]], None]) -> None:
        """Have `confirmed(answers)` called for what `publish_once` has passed on; before the connector is started."""
        self._confirmed = confirmed
        self.subscribe(self._requests.topic, Confirmations(self._requests.key, confirmed))

    def settle(self, ended: Callable[[], None]) -> bool:
        """Have `ended` called in the loop when hooks of this process have run for what `publish_once` gave them.

        False, and no call: they were given nothing since this was asked last. Slow hooks are not waited for.
        """
        if not self._receiver.given:
            return False
        self._receiver.given = False
        self._hooks.when_run(ended)
        return True

    def hurry(self) -> None:
        """Have hooks of this process begin with what they were given, and what they have ended for told, now."""
        self._hooks.feed()
        self._receiver.tell()

    @property
    def connections(self) -> int:
        """How often the carrier has come up; it is up now where `connected`."""
        return self.connector.connections

    @property
    def connected(self) -> bool:
        """True while the carrier is there."""
        return self.connector.connected

    @property
    def ready(self) -> bool:
        """True when it would be good to publish now."""
        return self.connector.connected and self.sealing.ready

    def call(self, topic: str, data: Any, origin: Participant | None = None) -> bool:
        """Pass an event on, from any thread; `data` may be changed afterwards. False: it is dropped, no more can wait.

        Raises `LocalError` when the data is not JSON, or too much for one event.
        """
        return self._queue(topic, self.check(topic, data), origin)

    def ask(self, topic: str, data: Any, seconds: float, answered: Answered, origin: Participant | None = None) -> None:
        """Pass a request on, from any thread; `answered(value, error)` is called once, in the loop.

        `error` is a `RequestError` where there is no answer: none within `seconds`, nobody who hooks the event as far
        as the carrier knows, a hook that raised, or no connection. Raises `LocalError` as `call` does.
        """
        pending = self._requests.new(topic, data, answered)
        payload = self._checked(self._requests.mark(pending, self._complete(topic, data)))
        self._loop.call_soon_threadsafe(self._await_answer, pending, required(seconds))
        if not self._queue(topic, payload, origin, pending):
            self._loop.call_soon_threadsafe(pending.unsent, f"{len(self._calls)} events wait already")

    def check(self, topic: str, data: Any) -> Payload:
        """What would be sent; raises `LocalError` when data is not JSON, cannot be sealed, or is too much."""
        return self._checked(self._complete(topic, data))

    def subscribe(self, topic: str, participant: Participant) -> None:
        """Have `participant.deliver` called for the events of this full name."""
        if self._participants.add(topic, participant):
            self.connector.subscribe(topic)

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed."""
        return self._participants.topics

    def use(self, connector: Connector) -> None:
        """Go on with another connector, which has the last one in its hands."""
        self.connector = connector
        self.sealing.use(connector)

    def observe(self, observer: Observer) -> None:
        """Have `observer.deliver` called for all events of this network; before its connector is started.

        Raises `LocalError` where the carrier cannot tell of all.
        """
        self.connector.subscribe_all()
        self._participants.observers.append(observer)

    def unsubscribe(self, topic: str, participant: Participant) -> None:
        """The reverse; without effect when it was not subscribed."""
        if self._participants.remove(topic, participant):
            self.connector.unsubscribe(topic)

    async def stop(self, seconds: float) -> int:
        """Send what was called, then disconnect; returns how many events were lost because the time was too short."""
        end = self._loop.time() + seconds
        self._requests.stop()
        if self._calls:
            self._emptied.clear()
            self._send_calls()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), seconds)
        return len(self._calls) + await self.sealing.stop(max(end - self._loop.time(), 0))

    def _send(self, topic: str, data: Any, identity: Identity, carried: Confirm | None) -> bool:
        """Give the carrier an event with its identity; false where it takes no more."""
        payload = IdentifiedPayload(self._complete(topic, data), self._requests.key, identity)
        try:
            if self.sealing.publish(topic, payload, carried) and carried is not None:
                carried()
        except LimitError:
            return False
        return True

    def _complete(self, topic: str, data: Any) -> Any:
        return with_metadata(data, self._metadata_key, topic) if self._metadata_key else data

    def _checked(self, data: Any) -> Payload:
        payload = Payload(text=dumps(data)).check()
        self.sealing.check(payload.text)
        return payload

    def _queue(self, topic: str, payload: Payload, origin: Participant | None, pending: Pending | None = None) -> bool:
        if len(self._calls) >= MAX_CALLS and not self._wait_for_room():
            self._dropping(topic)
            return False
        self._calls.append((topic, payload, origin, pending))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._send_calls)
        return True

    def _await_answer(self, pending: Pending, seconds: float) -> None:
        if self._requests.topic not in self._participants:
            self.subscribe(self._requests.topic, self._requests)
        self._requests.wait(pending, seconds)

    def _reply(self, topic: str, members: dict[str, Any]) -> None:
        self._queue(topic, self._checked(marked(self._complete(topic, {}), self._requests.key, members)), None)

    def _publish(self, topic: str, payload: Payload, origin: object, confirm: Confirm | None) -> bool:
        done = self.sealing.publish(topic, payload, confirm)
        participants = (*self._participants.of(topic, origin), *self._participants.observers)
        if participants:
            data = payload.data
            for participant in participants:
                participant.deliver(topic, data)
        return done

    def _request(self, topic: str, payload: Payload, origin: object, pending: Pending) -> None:
        asked = self._participants.of(topic, origin)
        if self.connector.connected:
            self.sealing.publish(topic, payload, None, None if asked else pending.nobody)
        elif not asked:
            # Kept for later, it would be dealt with when nobody waits for the answer any more.
            pending.unsent(self.connector.state)
        question = self._requests.own_question(pending, self._loop.call_soon_threadsafe)
        for participant in asked:
            participant.ask(topic, question)

    def _received(self, topic: str, data: Any) -> None:
        question = None
        if isinstance(data, dict) and isinstance(metadata := data.get(self._requests.key), dict):
            identity = identity_of(metadata, self.name) if ONCE in metadata else None
            if identity is not None:
                given = unmarked(data, self._requests.key, (ONCE,))
                members = self._participants.members(topic)
                self._participants.take(topic, given, identity, self._receiver, self._hooks.congested, members)
                return
            question = self._requests.question(data, self._reply)
        for participant in self._participants.of(topic):
            if question is None:
                participant.deliver(topic, data)
            else:
                participant.ask(topic, question)
        for observer in self._participants.observers:
            observer.deliver(topic, data)

    def _confirm(self, inbox: str, answers: list[Answer]) -> None:
        if inbox == self._requests.topic:
            self._confirmed(answers)
        else:
            self._reply(inbox, {TAKEN: answers})

    def _confirm_soon(self, inbox: str, answers: list[Answer]) -> None:
        """Who publishes is not told in the middle of it."""
        self._loop.call_soon(self._confirm, inbox, answers)

    def _send_calls(self) -> None:
        self._woken = False
        calls = self._calls
        for _ in range(SLICE):
            if not calls:
                break
            if not self.sealing.ready:
                # It will say when it is: until then nobody needs to wake the loop for a call.
                self._woken = True
                break
            topic, payload, origin, pending = calls.popleft()
            try:
                if pending is None:
                    self._publish(topic, payload, origin, None)
                elif not pending.done:
                    self._request(topic, payload, origin, pending)
            except LimitError as error:
                if pending is None:
                    self._dropping(topic)
                else:
                    pending.unsent(str(error))
        else:
            self._loop.call_soon(self._send_calls)
        if len(calls) < MAX_CALLS:
            self._room.set()
        if not calls:
            self._emptied.set()

    def _wait_for_room(self) -> bool:
        if not self.connector.connected or threading.get_ident() == self._thread:
            return False
        self._room.clear()
        return len(self._calls) < MAX_CALLS or self._room.wait(ROOM_SECONDS)

    def _dropping(self, topic: str) -> None:
        self.dropped += 1
        if self.dropped == 1:
            logger.error("%s is dropped: %d events wait already (%s)", topic, len(self._calls), self.connector.state)
