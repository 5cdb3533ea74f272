"""The clear frames as they are sent; who refuses which is in test_greet.py and test_gateway_session.py."""

import unittest

from ends import NAME, Connection, Device, Gateway

from eventhive.core.clear import (
    CHALLENGE_BYTES,
    CHALLENGE_KIND,
    HELLO_HEAD_BYTES,
    HELLO_KIND,
    NONCE_BYTES,
    REFUSE_BYTES,
    REFUSE_KIND,
    SEALED,
    STREAM_BYTES,
    UNKEYED,
    VERSION,
)
from eventhive.core.refusals import REFUSE_KEY


class LayoutTest(unittest.TestCase):
    def setUp(self):
        self.device = Device(limit=0x0102)
        self.connection = Connection(self.device, Gateway(limit=0x0304))

    def test_challenge(self):
        challenge = self.connection.challenge
        self.assertEqual(len(challenge), CHALLENGE_BYTES)
        self.assertEqual(challenge[:6], bytes((CHALLENGE_KIND, VERSION, VERSION, SEALED, 3, 4)))
        self.assertEqual(challenge[6:], (1).to_bytes(NONCE_BYTES, "big"))

    def test_an_unkeyed_challenge(self):
        self.assertEqual(Connection(Device(), Gateway(mode=UNKEYED)).challenge[3], UNKEYED)

    def test_hello(self):
        hello = self.connection.hello
        self.assertEqual(len(hello), HELLO_HEAD_BYTES + len(NAME))
        self.assertEqual(hello[:6], bytes((HELLO_KIND, VERSION, SEALED, 0, 1, 2)))
        self.assertEqual(hello[6:14], bytes(STREAM_BYTES))
        self.assertEqual(hello[14:18], (1).to_bytes(4, "big"))
        self.assertEqual(hello[34:], bytes((len(NAME),)) + NAME.encode())

    def test_the_hello_of_a_later_connection_names_the_stream(self):
        self.connection.settle()
        hello = Connection(self.device, Gateway()).hello
        self.assertEqual(hello[6:14].hex(), self.device.outbox.stream)
        self.assertEqual(hello[14:18], (2).to_bytes(4, "big"))

    def test_refuse(self):
        connection = Connection(Device(key=bytes(32)), Gateway())
        connection.to_gateway()
        connection.to_gateway()
        refusal = connection.gateway.data_to_send()
        self.assertEqual(refusal, bytes((REFUSE_KIND, REFUSE_KEY)))
        self.assertEqual(len(refusal), REFUSE_BYTES)
