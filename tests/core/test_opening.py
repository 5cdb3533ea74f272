"""The device's first flight: its hello, and what goes out with it."""

import unittest

from ends import KEY, Connection, Device, Gateway, connect

from eventhive.core.envelope import EVENT
from eventhive.core.keys import link_mac, session_keys
from eventhive.core.opening import FIRST_FLIGHT_BYTES
from eventhive.core.seal import Sealed


class FirstFlightTest(unittest.TestCase):
    def test_the_first_session_of_a_boot_has_no_events_yet(self):
        device = Device()
        device.put("net/queen/t", 1)
        connection = Connection(device, Gateway())
        self.assertEqual(connection.up[1][:-16], Sealed(self.up(connection)).crypt(0, b"[0,20]"))

    def up(self, connection):
        return session_keys(link_mac(KEY), connection.challenge, connection.hello)[0]

    def test_a_later_one_sends_what_waits(self):
        device, gateway = Device(), Gateway()
        connect(device, gateway)
        device.put("net/queen/t", 1)
        connection = Connection(device, gateway)
        connection.to_gateway()
        connection.to_gateway()
        self.assertEqual(gateway.events, [(EVENT, "net/queen/t", 1, 1)])

    def test_its_size(self):
        device, gateway = Device(), Gateway()
        connect(device, gateway)
        for size in (1, 10, 100, 290, 600, 650, 700, 900):
            while device.put("net/queen/t", "x" * size):
                pass
            connection = Connection(device, gateway)
            self.assertLessEqual(len(connection.up[0]) + len(connection.up[1]), FIRST_FLIGHT_BYTES)
            if size <= 100:
                self.assertGreater(len(connection.up[0]) + len(connection.up[1]), FIRST_FLIGHT_BYTES - size - 40)
            connection.settle()
            self.assertEqual(device.outbox.entries, [])
            gateway.events = []
        self.assertEqual(device.outbox.dropped, 8)

    def test_what_is_too_long_for_it_comes_after_the_welcome(self):
        device, gateway = Device(), Gateway()
        connect(device, gateway)
        device.put("net/queen/t", "x" * 900)
        connection = Connection(device, gateway)
        self.assertLess(len(connection.up[1]), 100)
        connection.settle()
        self.assertEqual([event[2] for event in gateway.events], ["x" * 900])
        self.assertEqual(device.outbox.dropped, 0)
