"""One connection of a websocket connector: its greeting, its events in both directions, on the wire agreed on."""

import asyncio
import random
from collections import deque
from typing import Any, Protocol

from websockets.http11 import Response

from .. import classic, lean
from ..classic import Answer, Call, Payload
from ..core.errors import PeerError
from ..websocket import ClientConnection, Limits
from . import base
from .base import Event
from .websocket_wires import Classic, Lean, number_of

LIMITS = Limits(max_message=classic.MAX_NOTIFY_BYTES)

# A call whose answer shows that a pubsub server is there and has subscribed what was asked.
GREETING = "hello"


class Owner(Protocol):
    """What a session needs of its connector."""

    def opened(self, session: "Session") -> None:
        """There is a connection."""

    def greeted(self) -> None:
        """A pubsub server has answered."""

    def confirmed(self, number: int, unheard: bool) -> None:
        """The server has an event, and may know that it has reached nobody; the number may be of no event at all."""

    def refused(self, number: int, answer: object) -> None:
        """The server does not take an event."""

    def received(self, topic: str, payload: Payload) -> None:
        """An event of somebody else."""

    def send(self) -> None:
        """There is room for events."""


class Session(ClientConnection):
    """A connection of `owner`; `ended` is done when it is over, with why. `classic_only` offers no other wire."""

    __slots__ = ("_owner", "_publishes_soon", "_wire", "ended", "id", "subprotocols")

    def __init__(self, owner: Owner, classic_only: bool):
        super().__init__(LIMITS, base.KEEPALIVE_SECONDS)
        self.subprotocols = () if classic_only else (lean.SUBPROTOCOL,)
        self.id = f"{random.getrandbits(128):032x}"
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._wire: Classic | Lean = Classic()
        self._publishes_soon = False

    def greet(self, topics: list[str]) -> None:
        """Subscribe topics, or ask for any answer where there are none."""
        self.send_encoded(classic.subscribe(topics, GREETING) if topics else classic.ping(GREETING))

    def subscribe(self, topic: str, number: int) -> None:
        """Subscribe one more; `number` is of no other one on this connection."""
        self.send_encoded(classic.subscribe([topic], f"s{number}"))

    def publish(self, unsent: deque[int], events: dict[int, Event]) -> None:
        """Send the events with the numbers in `unsent`, as far as the connection takes it."""
        while unsent and self.is_open and not self.writing_paused:
            self.send_encoded(self._wire.frame(unsent, events))

    def publish_soon(self) -> None:
        """Have `owner.send` called when this iteration of the loop is over, with all events that it published."""
        if not self._publishes_soon:
            self._publishes_soon = True
            self._loop.call_soon(self._publish)

    def opened(self, response: Response) -> None:
        """The upgrade is done."""
        if self.subprotocol:
            self._wire = Lean()
        self._owner.opened(self)

    def message(self, data: str | bytes) -> None:
        """A message of the server."""
        try:
            if not isinstance(data, str):
                raise PeerError("a binary message")
            if self.subprotocol and data.startswith(lean.TOPIC):
                for topic, payload in lean.events(data):
                    self._owner.received(topic, payload)
            elif not self._confirmed(data):
                self._called(data)
        except PeerError as error:
            self.close(1002, str(error))

    def writable(self) -> None:
        """The server reads again."""
        self._owner.send()

    def closed(self, code: int, reason: str) -> None:
        """The connection is gone."""
        if not self.ended.done():
            self.ended.set_result(reason or f"closed with code {code}")

    def _publish(self) -> None:
        self._publishes_soon = False
        self._owner.send()
        self.flush()

    def _confirmed(self, text: str) -> bool:
        """Take what confirms events; false for any other message."""
        some = False
        for number, unheard in self._wire.confirmed(text):
            some = True
            self._owner.confirmed(number, unheard)
        return some

    def _called(self, text: str) -> None:
        message = classic.read(text)
        if isinstance(message, Call):
            self._answer(message)
        elif isinstance(message, Answer):
            self._answered(message)

    def _answered(self, answer: Answer) -> None:
        if answer.call_id == GREETING:
            self._owner.greeted()
            return
        # On the lean wire no event is a call: they are counted, and nothing else confirms them.
        number = 0 if self.subprotocol else number_of(answer.call_id)
        if answer.result is True:
            self._owner.confirmed(number, answer.unheard)
        else:
            self._owner.refused(number, answer.result)

    def _answer(self, call: Call) -> None:
        if call.method == "notify":
            if call.call_id is not None:
                self.send_encoded(classic.done(call.call_id))
            self._owner.received(_topic(call.arguments), classic.payload_of(call))
        elif call.call_id is not None:
            if call.method not in ("_ping_", "_get_channel_id_"):
                raise PeerError(f"unknown method {call.method[:40]!r}")
            self.send_encoded(classic.answer("pong" if call.method == "_ping_" else self.id, call.call_id))


def _topic(arguments: dict[str, Any]) -> str:
    subscription = arguments.get("subscription")
    topic = subscription.get("topic") if isinstance(subscription, dict) else None
    if not isinstance(topic, str):
        raise PeerError("a notify without a topic")
    return topic
