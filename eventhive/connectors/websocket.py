"""A network on a websocket pubsub server, of ours or of EventHive 0.5.0: one connection for both directions.

An event is kept until the server has answered its publish, and is sent again after a reconnect: at least once, in
order. Topics are never unsubscribed on the wire, because a server of 0.5.0 disconnects whoever tries; they are ignored.
"""

import asyncio
import contextlib
import logging
import os
import random
import socket
from collections import deque
from ssl import SSLCertVerificationError, SSLError
from typing import Any

from websockets.http11 import Response

from .. import classic
from ..classic import Answer, Call, Payload
from ..core.backoff import delays
from ..core.errors import LimitError, LocalError, PeerError
from ..websocket import NO_CREDENTIALS, ClientConnection, Credentials, Limits, Unauthorized, connect
from .base import (
    FIRST_PAUSE_MS,
    KEEPALIVE_SECONDS,
    MAX_PAUSE_MS,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    Confirm,
    Connector,
    Event,
    Nobody,
    logger,
)

LIMITS = Limits(max_message=classic.MAX_NOTIFY_BYTES)

# Topics whose calls are prepared; a program that publishes on more of them pays for the preparation again.
MAX_HEADS = 1024

# A call whose answer shows that a pubsub server is there and has subscribed what was asked.
GREETING = "hello"


class WebsocketConnector(Connector):
    """Joins this process to the server at `scheme://host:port/endpoint`."""

    def __init__(
        self,
        network: str,
        host: str,
        port: int,
        endpoint: str,
        scheme: str,
        credentials: Credentials = NO_CREDENTIALS,
    ):
        super().__init__(network)
        self.url = f"{scheme}://{host}:{port}{endpoint}"
        self._address = (host, port, endpoint, scheme)
        self._credentials = credentials
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._topics: dict[str, None] = {}
        self._asked: set[str] = set()
        self._heads: dict[str, bytes] = {}
        self._waiting: dict[str, tuple[bytes, Confirm | None, Nobody | None]] = {}
        self._unsent: deque[str] = deque()
        self._bytes = 0
        self._number = 0
        self._full = False
        self._paused = False
        self._refused = False
        self._all = False
        self._drained = asyncio.Event()

    @property
    def ready(self) -> bool:
        """False while it has as many events as it takes."""
        self._full = len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES
        return not self._full

    def start(self) -> None:
        """Connect, and connect again, until `stop`."""
        self.state = f"connecting to {self.url}"
        self._task = asyncio.get_running_loop().create_task(self._run())

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """Send an event, or keep it until there is a connection. A server of 0.5.0 does not say that nobody got it."""
        payload.check()
        if not self.ready:
            raise LimitError(f"{self.network}: {len(self._waiting)} events wait for {self.url} already")
        self._number += 1
        call_id = str(self._number)
        frame = classic.publish(self._head(topic), payload, self._number)
        self._waiting[call_id] = (frame, confirm, nobody)
        self._bytes += len(frame)
        self._drained.clear()
        self._unsent.append(call_id)
        self.send()
        return False

    def subscribe(self, topic: str) -> None:
        """Subscribe a topic, now and after each reconnect."""
        self._topics[topic] = None
        if self._link is not None and topic not in self._asked and not self._all:
            self._asked.add(topic)
            self._number += 1
            self._link.send_encoded(classic.subscribe([topic], f"s{self._number}"))

    def subscribe_all(self) -> None:
        """Subscribe all topics; exact ones are not subscribed beside that, because the server would send both."""
        self._all = True

    def unsubscribe(self, topic: str) -> None:
        """Ignore a topic, and do not subscribe it after the next reconnect."""
        self._topics.pop(topic, None)

    def pause(self) -> None:
        """Leave what the server sends in its hands."""
        self._paused = True
        if self._link is not None:
            self._link.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._link is not None:
            self._link.resume()

    def withdraw(self) -> list[Event]:
        """Give back what has no answer."""
        waiting, self._waiting = self._waiting, {}
        self._unsent.clear()
        self._bytes = 0
        self._drained.set()
        calls = [(classic.read(frame.decode()), confirm, nobody) for frame, confirm, nobody in waiting.values()]
        return [
            (topic, classic.payload_of(call), confirm, nobody)
            for call, confirm, nobody in calls
            if isinstance(call, Call)
            for topic in classic.topics_of(call)
        ]

    async def stop(self, seconds: float) -> int:
        """Wait for the server's answers, then disconnect."""
        if self._waiting:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), seconds)
        link = self._link
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if link is not None:
            link.close(1000, "")
            await asyncio.wait([link.ended], timeout=seconds)
            link.abort()
        self._became(False, "stopped")
        return len(self._waiting)

    # For the link

    def opened(self, link: "Link") -> None:
        """There is a connection: subscribe everything, then send again what has no answer."""
        self._link = link
        self._asked = set(self._topics)
        if self._all or self._topics:
            topics = [classic.ALL_TOPICS] if self._all else list(self._topics)
            link.send_encoded(classic.subscribe(topics, GREETING))
        else:
            link.send_encoded(classic.ping(GREETING))
        self._doubt()
        self._unsent = deque(self._waiting)
        if self._paused:
            link.pause()
        self.send()

    def send(self) -> None:
        """Send what waits, as far as the connection takes it."""
        link = self._link
        while self._unsent and link is not None and link.is_open and not link.writing_paused:
            entry = self._waiting.get(self._unsent.popleft())
            if entry is not None:
                link.send_encoded(entry[0])

    def received(self, text: str, link: "Link") -> None:
        """Take a message of the server; raises `PeerError`."""
        call_id = classic.confirmed(text)
        if call_id in self._waiting:
            self._confirm(call_id)
            return
        message = classic.read(text)
        if isinstance(message, Call):
            self._answer(message, link)
        elif isinstance(message, Answer):
            self._answered(message)

    # The rest is private.

    async def _run(self) -> None:
        pauses = delays(random.randrange, FIRST_PAUSE_MS, MAX_PAUSE_MS)
        while True:
            why = await self._attempt()
            if self.connected:
                pauses = delays(random.randrange, FIRST_PAUSE_MS, MAX_PAUSE_MS)
            self.settled.set()
            self._became(False, f"waiting for {self.url}: {why}", logging.WARNING)
            # Asking again at once would neither help nor please who guards the server.
            await asyncio.sleep((MAX_PAUSE_MS if self._refused else next(pauses)) / 1000)

    async def _attempt(self) -> str:
        """Connect and stay connected; returns why that came to its end."""
        self._refused = False
        try:
            link = await connect(lambda: Link(self), *self._address, self._credentials)
        except TimeoutError:
            return "no answer"
        except SSLCertVerificationError as error:
            self._refused = True
            return f"its certificate is refused: {error.verify_message}"
        except SSLError as error:
            return f"no TLS there: {error.reason}"
        except socket.gaierror as error:
            return error.strerror or str(error)
        except OSError as error:
            # Not its own text, which gives the address once more.
            return os.strerror(error.errno) if error.errno else str(error)
        except Unauthorized as error:
            self._refused = True
            return f"{error}: see 'token' and 'token_file'"
        except (PeerError, LocalError, RuntimeError) as error:
            # RuntimeError: names cannot be looked up any more while the interpreter is going down.
            return str(error)
        try:
            return await link.ended
        finally:
            self._link = None

    def _head(self, topic: str) -> bytes:
        head = self._heads.get(topic)
        if head is None:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            head = self._heads[topic] = classic.publish_head(topic)
        return head

    def _doubt(self) -> None:
        """Forget whom to tell that nobody got an event that is sent twice: the first one may have reached somebody."""
        unsent = set(self._unsent)
        for call_id, (frame, confirm, nobody) in self._waiting.items():
            if nobody is not None and call_id not in unsent:
                self._waiting[call_id] = (frame, confirm, None)

    def _confirm(self, call_id: str, unheard: bool = False) -> None:
        frame, confirm, nobody = self._waiting.pop(call_id)
        self._bytes -= len(frame)
        if unheard and nobody is not None:
            nobody()
        if confirm is not None:
            confirm()
        if not self._waiting:
            self._drained.set()
        if self._full and len(self._waiting) <= MAX_WAITING // 2 and self._bytes <= MAX_WAITING_BYTES // 2:
            self._full = False
            self.relieved()

    def _answered(self, answer: Answer) -> None:
        if answer.call_id == GREETING:
            self.settled.set()
            self._became(True, f"connected to {self.url}")
        elif answer.call_id in self._waiting:
            if answer.result is not True:
                # Kept, it would be refused again after each reconnect.
                logger.error("%s: the server refused an event: %r", self.network, answer.result)
            self._confirm(answer.call_id, answer.unheard)

    def _answer(self, call: Call, link: "Link") -> None:
        if call.method == "notify":
            if call.call_id is not None:
                link.send_encoded(classic.done(call.call_id))
            topic = _topic(call.arguments)
            if self._all or topic in self._topics:
                self.deliver(topic, classic.payload_of(call))
        elif call.call_id is not None:
            if call.method not in ("_ping_", "_get_channel_id_"):
                raise PeerError(f"unknown method {call.method[:40]!r}")
            result = "pong" if call.method == "_ping_" else link.id
            link.send_encoded(classic.answer(result, call.call_id))


def _topic(arguments: dict[str, Any]) -> str:
    subscription = arguments.get("subscription")
    topic = subscription.get("topic") if isinstance(subscription, dict) else None
    if not isinstance(topic, str):
        raise PeerError("a notify without a topic")
    return topic


class Link(ClientConnection):
    """One connection of a connector."""

    __slots__ = ("_connector", "ended", "id")

    def __init__(self, connector: WebsocketConnector):
        super().__init__(LIMITS, KEEPALIVE_SECONDS)
        self.id = f"{random.getrandbits(128):032x}"
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._connector = connector

    def opened(self, response: Response) -> None:
        """The upgrade is done."""
        self._connector.opened(self)

    def message(self, data: str | bytes) -> None:
        """A message of the server."""
        try:
            if not isinstance(data, str):
                raise PeerError("a binary message")
            self._connector.received(data, self)
        except PeerError as error:
            self.close(1002, str(error))

    def writable(self) -> None:
        """The server reads again."""
        self._connector.send()

    def closed(self, code: int, reason: str) -> None:
        """The connection is gone."""
        if not self.ended.done():
            self.ended.set_result(reason or f"closed with code {code}")
