"""Both ends of the device link and a connection between them, for tests of what they do together.

A `Device` and a `Gateway` are what outlives connections; a `Connection` holds the sessions of one, and the messages
that are under way. Nothing is random, not even where the protocol wants it: it must hold with stuck randomness.
"""

from eventhive.core.clear import SEALED
from eventhive.core.envelope import ACK, EVENT, encode
from eventhive.core.gateway_session import GatewaySession
from eventhive.core.greet import greet
from eventhive.core.keys import link_mac
from eventhive.core.mark import Mark
from eventhive.core.marks import Marks
from eventhive.core.opening import open_session
from eventhive.core.ring import Outbox
from eventhive.core.session import OPENED, REJECTED, Session
from eventhive.core.welcome import welcome

NAME = "sensor-1"
KEY = bytes(range(32))
TIME_MS = 1767225600000
# Of the n-th session whose device has none yet.
STREAM = "a1a2a3a4%08x"

DEVICE_LIMIT = 1024
GATEWAY_LIMIT = 4096


class Dice:
    """Numbers that look random, the same on both interpreters."""

    def __init__(self, seed):
        self._state = seed

    def below(self, size):
        """A number from 0 to size - 1."""
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % size


def flipped(data, bit):
    """The bytes with one bit flipped."""
    at = bit >> 3
    return data[:at] + bytes((data[at] ^ 1 << (bit & 7),)) + data[at + 1 :]


def beginning(data):
    """The first 56 bits as a number: enough to tell random bytes apart, and without a place on a small heap."""
    return int.from_bytes(data[:7], "big")


def drained(session):
    """All messages that a session has to send now."""
    messages = []
    message = session.data_to_send()
    while message is not None:
        messages.append(message)
        message = session.data_to_send()
    return messages


class Device:
    """A device over its connections; `events` are those that its sessions gave, acknowledgements not counted."""

    def __init__(self, key=KEY, name=NAME, limit=DEVICE_LIMIT):
        self.key, self.name, self.limit = key, name, limit
        self.attempt = 0
        self.heartbeat_s = 20
        self.seed = bytes(24)
        self.outbox = Outbox(8192, DEVICE_LIMIT)
        self.mark = Mark()
        self.events = []

    def greet(self, challenge):
        """(hello, session) of its next connection."""
        self.attempt += 1
        who = self.name, self.key, 0, self.attempt
        hello, keys = greet(challenge, *who, self.seed, self.limit, self.outbox.stream)
        session = Session(self.limit, self.outbox, self.mark)
        open_session(session, challenge, hello, keys, self.heartbeat_s)
        return hello, session

    def put(self, name, data):
        """Queue an event for the gateway."""
        return self.outbox.put(name, encode(data))


class Gateway:
    """A gateway that knows one device; `events` as in `Device`, each confirmed at once unless `confirms` is false."""

    def __init__(self, key=KEY, mode=SEALED, limit=GATEWAY_LIMIT):
        self.links = {NAME: link_mac(key)} if key else {}
        self.nobody = link_mac(b"nobody")
        self.mode, self.limit = mode, limit
        self.nonces = self.streams = 0
        self.outbox = Outbox(65536, DEVICE_LIMIT, "b1b2b3b400000001")
        self.marks = Marks()
        self.events = []
        self.confirms = True

    def find(self, hello):
        """As `Devices.find`."""
        return self.links.get(hello.name) or (self.nobody if hello.mode == SEALED else None)

    def session(self):
        """A session for a new connection."""
        self.nonces += 1
        return GatewaySession(self.nonces.to_bytes(16, "big"), self.mode, self.limit, self.find)

    def put(self, name, data):
        """Queue a command for the device."""
        return self.outbox.put(name, encode(data))

    def take(self, session, event):
        """Handle one event of a session."""
        if event[0] == OPENED:
            self.streams += 1
            session.accept(session.stream(STREAM % self.streams), self.outbox, self.marks, TIME_MS)
            return
        if event[0] != ACK:
            self.events.append(event)
        if event[0] in (EVENT, REJECTED) and self.confirms:
            self.confirm(session)

    def confirm(self, session):
        """Acknowledge all that arrived."""
        mark = self.marks.last
        mark.confirmed = mark.taken
        session.acknowledge(mark)


class Connection:
    """The hand-shake up to the device's first flight; then `step`s, or `settle` for all there is.

    `up` and `down` are the messages under way to the gateway and to the device, `device` and `gateway` the sessions.
    """

    def __init__(self, device, gateway):
        self.device_end, self.gateway_end = device, gateway
        self.gateway = gateway.session()
        self.challenge = self.gateway.data_to_send()
        self.hello, self.device = device.greet(self.challenge)
        self.up = [self.hello, self.device.data_to_send()]
        self.down = []
        self.welcomed = False
        self.time_ms = 0

    def to_gateway(self):
        """The gateway takes the next message."""
        self.gateway.receive_data(self.up.pop(0))
        event = self.gateway.next_event()
        while event:
            self.gateway_end.take(self.gateway, event)
            event = self.gateway.next_event()

    def to_device(self):
        """The device takes the next message."""
        message = self.down.pop(0)
        if self.welcomed:
            self.device.receive_data(message)
        else:
            self.time_ms = welcome(self.device, self.challenge, message)
            self.welcomed = True
        event = self.device.next_event()
        while event:
            if event[0] != ACK:
                self.device_end.events.append(event)
            if event[0] in (EVENT, REJECTED):
                self.device.incoming().confirm()
            event = self.device.next_event()

    def flush(self):
        """Both ends send what they have to say; the device nothing before it was welcomed."""
        if self.welcomed:
            self.up += drained(self.device)
        self.down += drained(self.gateway)

    def settle(self):
        """Deliver until nothing is under way."""
        self.flush()
        while self.up or self.down:
            while self.up:
                self.to_gateway()
            while self.down:
                self.to_device()
            self.flush()


def connect(device=None, gateway=None):
    """A settled connection between these ends, or new ones."""
    connection = Connection(device or Device(), gateway or Gateway())
    connection.settle()
    return connection


class Way:
    """One direction of a fresh connection: texts that the sender seals, and what its receiver makes of them."""

    def __init__(self, is_up, gateway=None):
        self.connection = connect(None, gateway)
        ends = self.connection.device, self.connection.gateway
        self.sender, self.receiver = ends if is_up else (ends[1], ends[0])
        self.which = "up" if is_up else "down"

    def send(self, *texts):
        """The receiver gets each text in a record of its own."""
        for text in texts:
            self.receiver.receive_data(self.sender.seal.seal(text))

    def events(self):
        """The events that the receiver has, each confirmed at once."""
        events = []
        event = self.receiver.next_event()
        while event:
            events.append(event)
            if event[0] in (EVENT, REJECTED):
                self.receiver.incoming().confirm()
            event = self.receiver.next_event()
        return events

    def taken(self, *texts):
        """The events of these texts."""
        self.send(*texts)
        return self.events()

    def answer(self):
        """The texts of the records that the receiver has to send."""
        return [self.sender.unseal.open(record) for record in drained(self.receiver)]


def ways():
    """Both directions, one after the other, so that one connection at a time lives in a small heap."""
    yield Way(True)
    yield Way(False)
