"""A client of the websocket pubsub server.

Rules of this file:
1. A connection can only harm itself: what it does wrong closes it, what it does not read is bounded, and others wait
   for it at most `HOLD_SECONDS` at a time.
2. The text of an event is made once, whatever the number of its subscribers.
3. A client that has agreed on the lean wire has its events on that, in both directions; all else is the same for it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from websockets.http11 import Request

from .. import classic, lean
from ..classic import Call, Payload
from ..core.errors import PeerError
from ..websocket import Limits, ServerConnection

if TYPE_CHECKING:
    from .websocket import WebsocketServer

# Several times the declared events of a large program; each costs some 500 bytes here.
MAX_SUBSCRIPTIONS = 4096

# Bytes that wait for a subscriber before publishers pause for it: half a second of a fast one. It must come down to a
# quarter of that within HOLD_SECONDS, or the others go on without it; then it has until MAX_BUFFERED.
HIGH_WATER = 4 * 1024 * 1024
HOLD_SECONDS = 2.0
MAX_BUFFERED = 16 * 1024 * 1024

# Both sides of 0.5.0 ping every 20 s.
KEEPALIVE_SECONDS = 20.0

LIMITS = Limits(max_message=classic.MAX_PUBLISH_BYTES, max_buffered=MAX_BUFFERED, high_water=HIGH_WATER)

NOT_TEXT = 1003
POLICY_VIOLATION = 1008

logger = logging.getLogger("eventhive")


class Subscription:
    """One topic of one connection."""

    __slots__ = ("head", "id", "owner", "topic")

    def __init__(self, owner: "Peer", topic: str):
        self.owner = owner
        self.topic = topic
        self.id = uuid4().hex
        self.head = classic.notify_head(self.id, owner.id, topic)

    def notify(self, topic: str, payload: Payload) -> None:
        """Send an event of the broker."""
        if self.owner.batch is not None:
            self.owner.notify_lean(topic, payload)
            return
        # A subscription of all topics is told the topic of the event.
        head = self.head if topic == self.topic else classic.notify_head(self.id, self.owner.id, topic)
        self.owner.notify(head, payload)


class Peer(ServerConnection):
    """A connected client; `batch` holds its events of this iteration of the loop, where it has the lean wire."""

    subprotocols = (lean.SUBPROTOCOL,)
    __slots__ = (
        "_broker",
        "_calls",
        "_hold",
        "_notifies_soon",
        "_paused",
        "_server",
        "_subscriptions",
        "_taken",
        "batch",
        "gone",
        "id",
    )

    def __init__(self, server: "WebsocketServer"):
        super().__init__(LIMITS, KEEPALIVE_SECONDS)
        self.id = uuid4().hex
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server = server
        self._broker = server.broker
        self._subscriptions: dict[Subscription, None] = {}
        self._calls = self._taken = 0
        self.batch: lean.Batch | None = None
        self._notifies_soon = False
        self._hold: asyncio.TimerHandle | None = None
        self._paused = False

    def check(self, request: Request) -> tuple[int, str] | None:
        """Let in whom the server admits."""
        return self._server.admission.check(request, self.peer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        super().connection_made(transport)
        if not self._server.admission.enter():
            self.abort("too many connections")

    def opened(self, request: Request) -> None:
        """The upgrade is done."""
        self._server.peers.add(self)
        if self.subprotocol:
            self.batch = lean.Batch()

    def closed(self, code: int, reason: str) -> None:
        """The connection is gone."""
        self._server.admission.leave()
        self._server.peers.discard(self)
        for subscription in self._subscriptions:
            self._broker.unsubscribe(subscription.topic, subscription)
        self._release()
        if not self.gone.done():
            self.gone.set_result(None)
        logger.debug("%s: %s left: %d %s", self._server.network, self.peer, code, reason)

    def message(self, data: str | bytes) -> None:
        """A call of the client, or its answer to a notify, which nobody waits for."""
        if not isinstance(data, str):
            self._drop(NOT_TEXT, "a binary message")
            return
        try:
            if self.batch is not None and data.startswith(lean.TOPIC):
                self._events(data)
            elif not classic.is_answer(data):
                message = classic.read(data)
                if isinstance(message, Call):
                    self._answer(message)
        except PeerError as error:
            self._drop(POLICY_VIOLATION, str(error))

    def notify(self, head: bytes, payload: Payload) -> None:
        """Send an event."""
        self._calls += 1
        self.send_encoded(classic.notify(head, payload, self._calls))

    def notify_lean(self, topic: str, payload: Payload) -> None:
        """Send an event on the lean wire, with all others of this iteration of the loop."""
        batch = self.batch
        if batch is None or not self.is_open:
            return
        if not batch.fits(payload):
            self.send_encoded(batch.take())
        batch.add(topic, payload)
        if not self._notifies_soon:
            self._notifies_soon = True
            self._loop.call_soon(self._send_events)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """As in any connection; its events go first."""
        self._send_events()
        super().close(code, reason)

    def pause_writing(self) -> None:
        """Called by asyncio: too much waits for this client."""
        super().pause_writing()
        self._broker.hold(self)
        self._hold = self._loop.call_later(HOLD_SECONDS, self._release)

    def resume_writing(self) -> None:
        """Called by asyncio: this client has caught up."""
        super().resume_writing()
        self._release()

    def _release(self) -> None:
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None
            self._broker.release(self)

    def _drop(self, code: int, why: str) -> None:
        text = "%s: %s is disconnected: %s"
        self._server.disconnected(logging.WARNING, text, self._server.network, self.peer, why[:200])
        self.close(code, why)

    def _send_events(self) -> None:
        self._notifies_soon = False
        if self.batch is not None:
            frame = self.batch.take()
            if frame:
                self.send_encoded(frame)
                self.flush()

    def _events(self, frame: str) -> None:
        """Take events of the lean wire, and confirm them."""
        unheard = []
        for topic, payload in lean.events(frame):
            self._taken += 1
            if not self._broker.publish(topic, payload, self):
                unheard.append(self._taken)
        self.send_encoded(lean.taken(self._taken, unheard))
        self._respect()

    def _answer(self, call: Call) -> None:
        method = _METHODS.get(call.method)
        if method is None:
            raise PeerError(f"unknown method {call.method[:40]!r}")
        result = method(self, call)
        if call.call_id is not None:
            text = classic.unheard(call.call_id) if result is None else classic.answer(result, call.call_id)
            self.send_encoded(text)

    def _ping(self, call: Call) -> str:
        return "pong"

    def _own_id(self, call: Call) -> str:
        return self.id

    def _subscribe(self, call: Call) -> bool:
        topics = classic.topics_of(call)
        if len(self._subscriptions) + len(topics) > MAX_SUBSCRIPTIONS:
            raise PeerError(f"more than {MAX_SUBSCRIPTIONS} subscriptions")
        for topic in topics:
            subscription = Subscription(self, topic)
            self._subscriptions[subscription] = None
            self._broker.subscribe(topic, subscription)
        return True

    def _unsubscribe(self, call: Call) -> bool:
        topics = classic.topics_of(call)
        for subscription in [one for one in self._subscriptions if one.topic in topics]:
            del self._subscriptions[subscription]
            self._broker.unsubscribe(subscription.topic, subscription)
        return True

    def _publish(self, call: Call) -> bool | None:
        payload = classic.payload_of(call)
        receivers = 0
        for topic in classic.topics_of(call):
            receivers += self._broker.publish(topic, payload, self)
        self._respect()
        return True if receivers else None

    def _respect(self) -> None:
        """Read nothing while a subscriber holds the broker."""
        if self._broker.held and not self._paused:
            self._paused = True
            self.pause()
            self._broker.when_released(self._continue)

    def _continue(self) -> None:
        self._paused = False
        self.resume()


# None: a publish that has reached no subscriber.
_METHODS: dict[str, Callable[[Peer, Call], bool | str | None]] = {
    "_ping_": Peer._ping,
    "ping": Peer._ping,
    "_get_channel_id_": Peer._own_id,
    "subscribe": Peer._subscribe,
    "unsubscribe": Peer._unsubscribe,
    "publish": Peer._publish,
}
