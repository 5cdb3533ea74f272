"""A network on a websocket pubsub server, of ours or of EventHive 0.5.0: one connection for both directions.

An event is kept until the server has confirmed it, and is sent again after a reconnect: at least once, in order.
Topics are never unsubscribed on the wire, because a server of 0.5.0 disconnects whoever tries; they are ignored.
"""

import asyncio
import logging
import os
import random
import socket
from collections import deque
from ssl import SSLCertVerificationError, SSLError

from .. import classic
from ..classic import Payload
from ..core.backoff import delays
from ..core.errors import LocalError, PeerError
from ..websocket import NO_CREDENTIALS, Credentials, Unauthorized, connect
from .backlog import Backlog
from .base import FIRST_PAUSE_MS, MAX_PAUSE_MS, Confirm, Connector, Event, Nobody, logger
from .websocket_session import Session


class WebsocketConnector(Connector):
    """Joins this process to the server at `scheme://host:port/endpoint`; with `classic_only` as 0.5.0 would."""

    def __init__(
        self,
        network: str,
        host: str,
        port: int,
        endpoint: str,
        scheme: str,
        credentials: Credentials = NO_CREDENTIALS,
        classic_only: bool = False,
    ):
        super().__init__(network)
        self.url = f"{scheme}://{host}:{port}{endpoint}"
        self._address = (host, port, endpoint, scheme)
        self._credentials = credentials
        self._classic_only = classic_only
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._topics: dict[str, None] = {}
        self._asked: set[str] = set()
        # By the numbers of the events, in order; the numbers of those that this connection was not sent.
        self._waiting: dict[int, Event] = {}
        self._unsent: deque[int] = deque()
        self._backlog = Backlog(network)
        self._number = 0
        self._paused = False
        self._refused = False
        self._all = False

    @property
    def ready(self) -> bool:
        """False while it has as many events as it takes."""
        return self._backlog.ready

    def start(self) -> None:
        """Connect, and connect again, until `stop`."""
        self.state = f"connecting to {self.url}"
        self._task = asyncio.get_running_loop().create_task(self._run())

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        """Send an event, or keep it until there is a connection. A server of 0.5.0 does not say that nobody got it."""
        payload.check()
        self._backlog.check(self.url)
        self._number += 1
        self._waiting[self._number] = (topic, payload, confirm, nobody)
        self._backlog.add(len(payload.text))
        self._unsent.append(self._number)
        if self._session is not None:
            self._session.publish_soon()
        return False

    def subscribe(self, topic: str) -> None:
        """Subscribe a topic, now and after each reconnect."""
        self._topics[topic] = None
        if self._session is not None and topic not in self._asked and not self._all:
            self._asked.add(topic)
            # What was published before is sent before: its answer tells who had subscribed by then.
            self.send()
            self._session.subscribe(topic, len(self._asked))

    def subscribe_all(self) -> None:
        """Subscribe all topics; exact ones are not subscribed beside that, because the server would send both."""
        self._all = True

    def unsubscribe(self, topic: str) -> None:
        """Ignore a topic, and do not subscribe it after the next reconnect."""
        self._topics.pop(topic, None)

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

    def withdraw(self) -> list[Event]:
        """Give back what has no answer."""
        waiting, self._waiting = self._waiting, {}
        self._unsent.clear()
        self._backlog.clear()
        return list(waiting.values())

    async def stop(self, seconds: float) -> int:
        """Wait for the server's answers, then disconnect."""
        self.send()
        await self._backlog.drain(seconds)
        session = self._session
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if session is not None:
            session.close(1000, "")
            await asyncio.wait([session.ended], timeout=seconds)
            session.abort()
        self._became(False, "stopped")
        return self._backlog.events

    # For the session

    def opened(self, session: Session) -> None:
        """There is a connection: subscribe everything, then send again what has no answer."""
        self._session = session
        self._asked = set(self._topics)
        session.greet([classic.ALL_TOPICS] if self._all else list(self._topics))
        self._doubt()
        self._unsent = deque(self._waiting)
        if self._paused:
            session.pause()
        self.send()

    def greeted(self) -> None:
        """A pubsub server has answered."""
        self.settled.set()
        self._became(True, f"connected to {self.url}")

    def send(self) -> None:
        """Send what waits, as far as the connection takes it."""
        if self._session is not None:
            self._session.publish(self._unsent, self._waiting)

    def confirmed(self, number: int, unheard: bool) -> None:
        """The server has an event."""
        event = self._waiting.pop(number, None)
        if event is None:
            return
        _, payload, confirm, nobody = event
        if unheard and nobody is not None:
            nobody()
        if confirm is not None:
            confirm()
        if self._backlog.remove(len(payload.text)):
            self.relieved()

    def refused(self, number: int, answer: object) -> None:
        """The server does not take an event: kept, it would be refused again after each reconnect."""
        if number in self._waiting:
            logger.error("%s: the server refused an event: %r", self.network, answer)
            self.confirmed(number, unheard=False)

    def received(self, topic: str, payload: Payload) -> None:
        """An event of somebody else."""
        if self._all or topic in self._topics:
            self.deliver(topic, payload)

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
            session = await connect(lambda: Session(self, self._classic_only), *self._address, self._credentials)
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
            # Not its own text, which gives the address once more, or is empty where a server hung up on a hand-shake.
            return os.strerror(error.errno) if error.errno else str(error) or "it hung up: is TLS spoken there?"
        except Unauthorized as error:
            self._refused = True
            return f"{error}: see 'token' and 'token_file'"
        except (PeerError, LocalError, RuntimeError) as error:
            # RuntimeError: names cannot be looked up any more while the interpreter is going down.
            return str(error)
        try:
            return await session.ended
        finally:
            self._session = None

    def _doubt(self) -> None:
        """Forget whom to tell that nobody got an event that is sent twice: the first one may have reached somebody."""
        unsent = set(self._unsent)
        for number, (topic, payload, confirm, nobody) in self._waiting.items():
            if nobody is not None and number not in unsent:
                self._waiting[number] = (topic, payload, confirm, None)
