"""Sessions without a key: where they are, and are not, taken is in test_gateway_session.py."""

import unittest

from ends import Connection, Device, Gateway

from eventhive.core.clear import UNKEYED
from eventhive.core.envelope import EVENT
from eventhive.core.unkeyed import Unkeyed


class UnkeyedTest(unittest.TestCase):
    def test_a_record_is_its_text(self):
        for text in (b"", b"[5,0]"):
            self.assertEqual(Unkeyed().seal(text), text)
            self.assertEqual(Unkeyed().open(text), text)
        self.assertEqual(Unkeyed.overhead, 0)

    def test_a_whole_session(self):
        device, gateway = Device(key=None), Gateway(key=None, mode=UNKEYED)
        connection = Connection(device, gateway)
        device.put("net/queen/t", 1)
        gateway.put("net/sensor-1/led", True)
        connection.settle()
        self.assertEqual(gateway.events, [(EVENT, "net/queen/t", 1, 1)])
        self.assertEqual(device.events, [(EVENT, "net/sensor-1/led", True, 1)])
        self.assertEqual((device.outbox.entries, gateway.outbox.entries), ([], []))

    def test_the_hello_says_so(self):
        connection = Connection(Device(key=None), Gateway(key=None, mode=UNKEYED))
        self.assertEqual(connection.hello[2], UNKEYED)
        self.assertEqual(connection.hello[18:34], bytes(16))
        self.assertEqual(connection.up[1], b"[0,20]")
