"""Both ends of the link in one process, without any I/O: real sessions, and a network that is a dict."""

import os
from collections.abc import Callable
from typing import Any

from eventhive.core.clear import SEALED, UNKEYED
from eventhive.core.envelope import ASK, EVENT, HOOKS, ONCE, REPLY, encode
from eventhive.core.errors import LimitError, PeerError
from eventhive.core.gateway_session import GatewaySession
from eventhive.core.greet import greet
from eventhive.core.mark import Mark
from eventhive.core.opening import open_session
from eventhive.core.outcomes import RequestError
from eventhive.core.pump import Pump
from eventhive.core.ring import Outbox
from eventhive.core.session import OPENED, Session
from eventhive.core.welcome import welcome
from eventhive.gateway.bridge import Bridge
from eventhive.gateway.device import Device
from eventhive.gateway.devices import Devices, Enrolled

TIME_MS = 1_750_000_000_123
HEARTBEAT_S = 20


class Hub:
    """A network; `holds` makes it confirm later (`waiting`), `full` refuse; `requests` wait for their answers."""

    connected = True

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.participants: dict[str, list[Device]] = {}
        self.waiting: list[Callable[[], None]] = []
        self.requests: list[tuple[str, Any, float, Callable[[Any, RequestError | None], object]]] = []
        self.holds = self.full = False

    def ask(
        self,
        topic: str,
        data: Any,
        seconds: float,
        answered: Callable[[Any, RequestError | None], object],
        origin: object,
    ) -> None:
        if self.full:
            raise LimitError("too long for one event")
        self.requests.append((topic, data, seconds, answered))

    def publish(self, topic: str, data: Any, origin: object = None, confirm: Callable[[], None] | None = None) -> bool:
        if self.full:
            raise LimitError("my-hive: 20000 events wait already")
        self.events.append((topic, data))
        for one in list(self.participants.get(topic, ())):
            if one is not origin:
                one.deliver(topic, data)
        if self.holds and confirm is not None:
            self.waiting.append(confirm)
        return not self.holds

    def subscribe(self, topic: str, participant: Device) -> None:
        self.participants.setdefault(topic, []).append(participant)

    def unsubscribe(self, topic: str, participant: Device) -> None:
        self.participants[topic].remove(participant)


class GatewayEnd:
    """The gateway's end of one connection: a carrier whose messages are kept in `sent`."""

    kind = "websocket"

    def __init__(self, bridge: Bridge, mode: int, address: str):
        self.bridge = bridge
        self.address = address
        self.device: Device | None = None
        self.session = GatewaySession(os.urandom(16), mode, 4096, bridge.devices.find)
        self.pump = Pump(self.session, self, self._event)
        self.sent: list[bytes] = []
        self.over = False

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def close(self, reason: str) -> None:
        if not self.over:
            self.over = True
            self.bridge.closed(self.device, self.session, self)

    def wake(self) -> None:
        self.pump.flush()

    def flush_now(self) -> None:
        self.pump.flush()

    def _event(self, event: tuple[Any, ...]) -> None:
        if self.device is not None:
            self.bridge.event(self.device, event)
        elif event[0] == OPENED:
            self.device = self.bridge.opened(self.session, event[1], self)


class Board:
    """A device: what outlives its connections, and the newest of them.

    `got` are the events it took (name, data), `asked` and `replies` the requests and answers, `refused` is why the
    gateway did not take it.
    """

    def __init__(self, bridge: Bridge, name: str, key: bytes | None, keygen: int = 0):
        self.bridge = bridge
        self.name = name
        self.key = key
        self.keygen = keygen
        self.boot = self.connection = 0
        self.got: list[tuple[str, Any]] = []
        self.asked: list[tuple[Any, ...]] = []
        self.replies: list[tuple[Any, ...]] = []
        self.restart()

    def restart(self) -> None:
        """A new boot: everything in memory is gone."""
        self.boot += 1
        self.connection = 0
        self.outbox = Outbox(8192, 1024)
        self.mark = Mark()
        self.session: Any = None

    def dial(self, mode: int = SEALED, address: str = "192.0.2.1:5") -> "Board":
        """Make a connection; nothing but the challenge has been exchanged then."""
        self.end = GatewayEnd(self.bridge, mode, address)
        self.end.pump.flush()
        self.challenge = self.end.sent.pop()
        self.refused = ""
        return self

    def greet(self, *hooks: str) -> "Board":
        """Hello, first record, and the gateway's answer to them."""
        attempt = self.boot * 4096 + self.connection
        self.connection += 1
        who = self.name, self.key, self.keygen, attempt
        self.hello, keys = greet(self.challenge, *who, os.urandom(24), 1024, self.outbox.stream)
        begun = self.challenge, self.hello, keys
        self.session = Session(1024, self.outbox, self.mark)
        open_session(self.session, *begun, HEARTBEAT_S)
        for hook in hooks:
            self.session.say(encode([HOOKS, hook]))
        first = self.session.data_to_send()
        self.end.pump.receive(self.hello)
        self.end.pump.receive(first)
        self.end.pump.flush()
        try:
            self.time_ms = welcome(self.session, self.challenge, self.end.sent.pop(0))
        except PeerError as error:
            self.refused = str(error)
        else:
            self.exchange()
        return self

    def connect(self, *hooks: str, mode: int = SEALED, address: str = "192.0.2.1:5") -> "Board":
        """A new connection of this boot, hand-shake and all."""
        return self.dial(mode, address).greet(*hooks)

    def call(self, name: str, data: Any) -> "Board":
        """Queue an event and exchange what there is to exchange."""
        self.outbox.put(name, encode(data))
        return self.exchange()

    def say(self, text: str) -> "Board":
        """Send a message as it is."""
        self.session.say(text.encode())
        return self.exchange()

    def take(self) -> None:
        """Read what the gateway has sent; acknowledgements stay here."""
        sent, self.end.sent = self.end.sent, []
        for message in sent:
            self.session.receive_data(message)
        while (event := self.session.next_event()) is not None:
            if event[0] == ASK:
                self.asked.append(event[1:])
            elif event[0] == REPLY:
                self.replies.append(event[1:])
            elif event[0] in (EVENT, ONCE):
                # With what is left of its life, if that is said.
                self.got.append(event[1:3] + event[4:])
                self.session.incoming().confirm()

    def exchange(self) -> "Board":
        """Let both ends send until neither has anything to say."""
        self.take()
        while True:
            self.end.pump.flush()
            message = self.session.data_to_send()
            if message is None and not self.end.sent:
                return self
            if message is not None:
                self.end.pump.receive(message)
            self.take()


class Stand:
    """A bridge with one network, `my-hive`, and devices a, b and c that may do what a device usually may."""

    def __init__(self, command_ttl_s: int = 0) -> None:
        self.now_ms = 0
        self.hub = Hub()
        self.devices = Devices(os.urandom, ["my-hive"], "__eventhive__", lambda: self.now_ms, command_ttl_s)
        self.bridge = Bridge(self.devices, {"my-hive": self.hub}, lambda: TIME_MS)
        self.entries = {name: enrolled(name) for name in "abc"}
        self.bridge.enrol(self.entries)

    def board(self, name: str, key: bytes | str | None = "its own", keygen: int = 0) -> Board:
        """A device that is switched on, with the key on file unless another one is given."""
        return Board(self.bridge, name, self.entries[name].key if isinstance(key, str) else key, keygen)

    def device(self, name: str) -> Device:
        """What the gateway knows of a device."""
        return self.devices.by_name[name]


def enrolled(name: str, publish: str = "my-hive/*/*", receive: str = "") -> Enrolled:
    """An entry of the key file with a new key."""
    return Enrolled(os.urandom(32), 0, [publish], [receive or f"{name}/*"])


__all__ = ["HEARTBEAT_S", "SEALED", "TIME_MS", "UNKEYED", "Board", "GatewayEnd", "Hub", "Stand", "enrolled"]
