"""A device and a gateway that lose each other again and again: every event arrives once, in order, both ways."""

import unittest

from ends import Connection, Device, Dice, Gateway, connect, flipped

from eventhive.core.envelope import EVENT
from eventhive.core.errors import PeerError
from eventhive.core.session import RUNNING

# Long enough for a batch of events, an answer and a second batch; many connections end before.
STEPS = 30


class Life:
    """Both ends over many connections, each of which may be cut, disturbed or attacked at any moment.

    `sent` are the values that each end has queued, `recorded` messages that somebody on the way has kept.
    """

    def __init__(self, seed, device=None, gateway=None):
        self.dice = Dice(seed)
        self.device, self.gateway = device or Device(), gateway or Gateway()
        self.gateway.confirms = False
        self.sent = ([], [])
        self.recorded = []

    def run(self, connections):
        for _ in range(connections):
            self.connection()
        self.gateway.confirms = True
        last = connect(self.device, self.gateway)
        self.gateway.confirm(last.gateway)
        last.settle()

    def connection(self):
        connection = Connection(self.device, self.gateway)
        for _ in range(self.dice.below(STEPS)):
            try:
                self.step(connection)
            except PeerError:
                return
            if connection.gateway.closed or connection.device.closed:
                return

    def step(self, connection):
        """One of the things that may happen."""
        dice = self.dice.below(16)
        if dice < 3:
            self.put(0, self.device)
        elif dice < 5:
            self.put(1, self.gateway)
        elif dice < 8 and connection.up:
            self.record(connection.up[0])
            connection.to_gateway()
        elif dice < 11 and connection.down:
            self.record(connection.down[0])
            connection.to_device()
        elif dice < 14:
            connection.flush()
        elif dice == 14 and connection.gateway.state == RUNNING and self.gateway.marks.last:
            # The network has confirmed what it was given.
            self.gateway.confirm(connection.gateway)
        elif dice == 15 and self.dice.below(4) == 0:
            self.attack(connection)

    def put(self, me, end):
        value = len(self.sent[me])
        if end.put("net/a/%d" % self.dice.below(40), value):
            self.sent[me].append(value)

    def record(self, message):
        if self.dice.below(8) == 0 and len(self.recorded) < 20:
            self.recorded.append(message)

    def attack(self, connection):
        """Flip a bit of what is under way, or put in something old."""
        way = connection.up if self.dice.below(2) else connection.down
        if way and self.dice.below(2):
            way[0] = flipped(way[0], self.dice.below(8 * len(way[0])))
        elif self.recorded:
            way.insert(0, self.recorded[self.dice.below(len(self.recorded))])


class ReconnectTest(unittest.TestCase):
    def values(self, end):
        return [event[2] for event in end.events if event[0] == EVENT]

    def settled(self, life):
        """Everything is where it should be, and nothing waits."""
        self.assertEqual(self.values(life.gateway), life.sent[0])
        self.assertEqual(self.values(life.device), life.sent[1])
        for end in (life.device, life.gateway):
            self.assertEqual(end.outbox.entries, [])
            self.assertEqual(end.outbox.acked, end.outbox.next - 1)

    def test_each_event_once_and_in_order(self):
        for seed in range(20):
            life = Life(seed)
            life.run(25)
            self.settled(life)
            self.assertGreater(len(life.sent[0]), 10)

    def test_over_links_that_differ(self):
        # A websocket now, a serial line then: what one link cannot carry is dropped there, and only that.
        for seed in range(8):
            life = Life(seed)
            for limit in (1024, 128, 512, 140):
                life.device.limit = limit
                life.gateway.limit = limit + 60
                for _ in range(4):
                    life.connection()
            life.run(4)
            self.settled(life)

    def test_events_that_are_too_long_for_one_of_them(self):
        dropped = 0
        for seed in range(8):
            dice = Dice(seed)
            device, gateway = Device(), Gateway()
            sent = []
            for _ in range(15):
                for _ in range(dice.below(5)):
                    value = "%d %s" % (len(sent), "x" * dice.below(200))
                    # Queued before this link was known to be so short.
                    device.outbox.largest = 1000
                    self.assertTrue(device.put("net/a/b", value))
                    sent.append(value)
                gateway.limit = 150 + dice.below(200)
                connect(device, gateway)
            device.put("net/a/b", "last")
            sent.append("last")
            connect(device, gateway)
            got = self.values(gateway)
            self.assertEqual(got, [value for value in sent if value in got])
            self.assertEqual(len(sent) - len(got), device.outbox.dropped)
            self.assertEqual(gateway.marks.last.gaps, device.outbox.dropped)
            self.assertEqual(device.outbox.entries, [])
            dropped += device.outbox.dropped
        self.assertGreater(dropped, 8)

    def test_a_gateway_that_forgot_everything(self):
        # What was acknowledged was delivered; what was not comes again, to whatever gateway there is.
        device = Device()
        delivered = []
        for number in range(60):
            gateway = Gateway()
            gateway.streams = number
            device.put("net/a/b", number)
            connection = Connection(device, gateway)
            for _ in range(number % 7):
                if connection.up:
                    connection.to_gateway()
                    connection.flush()
                elif connection.down:
                    connection.to_device()
                    connection.flush()
            delivered += [value for value in self.values(gateway) if value not in delivered]
            self.assertLessEqual(device.outbox.acked, len(delivered))
        gateway = Gateway()
        connect(device, gateway)
        delivered += [value for value in self.values(gateway) if value not in delivered]
        self.assertEqual(delivered, list(range(60)))

    def test_boots_that_are_all_alike(self):
        # Randomness, numbers and data begin alike after each reset; only the attempt tells the boots apart.
        gateway = Gateway()
        for boot in range(6):
            device = Device()
            device.attempt = boot << 12
            device.put("net/a/b", "first of its boot")
            connect(device, gateway)
            connect(device, gateway)
        self.assertEqual(self.values(gateway), ["first of its boot"] * 6)
        self.assertEqual(gateway.streams, 12)
