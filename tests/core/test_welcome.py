"""The end of the device's hand-shake: which answer it takes."""

import unittest

from ends import (
    GATEWAY_LIMIT,
    KEY,
    TIME_MS,
    Connection,
    Device,
    Gateway,
    connect,
    flipped,
)

from eventhive.core.envelope import EVENT
from eventhive.core.errors import PeerError
from eventhive.core.keys import link_mac, session_keys
from eventhive.core.refusals import REFUSE_ATTEMPT, REFUSE_KEY
from eventhive.core.seal import Sealed
from eventhive.core.welcome import welcome

STREAM = "a1a2a3a400000001"


class WelcomeTest(unittest.TestCase):
    def setUp(self):
        self.device = Device()
        for number in range(3):
            self.device.put("net/queen/t", number)

    def answered(self, text, connection=None):
        """The device takes this text as the gateway's record 0."""
        connection = connection or Connection(self.device, Gateway())
        down = session_keys(link_mac(KEY), connection.challenge, connection.hello)[1]
        return welcome(connection.device, connection.challenge, Sealed(down).seal(text))

    def refused(self, text, connection=None):
        with self.assertRaises(PeerError) as caught:
            self.answered(text, connection)
        self.assertNotIn("not authentic", str(caught.exception))

    def test_time_stream_and_acknowledgement(self):
        device = self.device
        self.assertEqual(self.answered(b'[1,1767225600000,"a1a2a3a400000001",2]'), TIME_MS)
        self.assertEqual((device.outbox.stream, device.outbox.acked), (STREAM, 2))
        self.assertEqual([entry[0] for entry in device.outbox.entries], [3])
        self.assertEqual(device.outbox.largest, GATEWAY_LIMIT - 16)

    def test_later_items_are_ignored(self):
        self.assertEqual(self.answered(b'[1,5,"a1a2a3a400000001",0,"later",{}]'), 5)

    def test_what_follows_it_in_its_record(self):
        connection = Connection(self.device, Gateway())
        text = b'[[1,5,"a1a2a3a400000001",0],[4,"b1b2b3b400000001",7],[2,"net/sensor-1/led",true],[2,1,false]]'
        self.answered(text, connection)
        self.assertEqual(connection.device.next_event(), (EVENT, "net/sensor-1/led", True, 7))
        self.assertEqual(self.device.mark.taken, 7)
        self.assertEqual(connection.device.next_event(), (EVENT, "net/sensor-1/led", False, 8))
        self.assertIsNone(connection.device.next_event())

    def test_something_else(self):
        for text in (
            b"",
            b"no",
            b"[]",
            b"[0,20]",
            b"[1]",
            b"[1,5]",
            b'[1,5,"a1a2a3a400000001"]',
            b'[[5,0],[1,5,"a1a2a3a400000001",0]]',
            b'[true,5,"a1a2a3a400000001",0]',
            b'[2,"a/b/c","a1a2a3a400000001",0]',
            b'[3,0,"a1a2a3a400000001",0]',
        ):
            with self.subTest(text=text):
                self.refused(text)
        self.assertEqual(len(self.device.outbox.entries), 3)

    def test_items_out_of_range(self):
        for time in (b"true", b"null", b"-1", b"5.0", b'"5"', b"[]", b"9007199254740992"):
            self.refused(b'[1,%s,"a1a2a3a400000001",0]' % time)
        for stream in (b"5", b"null", b'""', b'"a1a2a3a40000000"', b'"a1a2a3a4000000011"', b'["a1a2a3a400000001"]'):
            self.refused(b"[1,5,%s,0]" % stream)
        for acked in (b"true", b"null", b"-1", b"0.0", b'"0"', b"9007199254740992"):
            self.refused(b'[1,5,"a1a2a3a400000001",%s]' % acked)
        self.assertIsNone(self.device.outbox.stream)

    def test_a_stream_is_hexadecimal(self):
        # The next hello carries it as eight bytes, which the gateway reads as lower case.
        for stream in ("g1a2a3a400000001", "A1A2A3A400000001", "a1 a2 a3 a4 0000", " " * 16, "°1a2a3a400000001"):
            with self.subTest(stream=stream):
                self.refused(b'[1,5,"%s",0]' % stream.encode())

    def test_events_that_were_never_queued(self):
        for acked in (4, 5, 1000000):
            self.refused(b'[1,5,"a1a2a3a400000001",%d]' % acked)
        self.assertEqual(len(self.device.outbox.entries), 3)
        self.answered(b'[1,5,"a1a2a3a400000001",3]')
        self.assertEqual(self.device.outbox.entries, [])

    def test_another_stream_than_its_own(self):
        self.answered(b'[1,5,"a1a2a3a400000001",0]')
        self.refused(b'[1,5,"a1a2a3a400000002",1]')
        self.assertEqual((self.device.outbox.stream, self.device.outbox.acked), (STREAM, 0))
        self.answered(b'[1,5,"a1a2a3a400000001",1]')
        self.assertEqual(self.device.outbox.acked, 1)


class ProofTest(unittest.TestCase):
    """Who cannot seal a welcome is no gateway."""

    def setUp(self):
        self.device, self.gateway = Device(), Gateway()
        self.connection = Connection(self.device, self.gateway)
        self.connection.to_gateway()
        self.connection.to_gateway()
        self.connection.flush()
        self.welcome = self.connection.down[0]

    def refused(self, answer, connection=None):
        connection = connection or self.connection
        with self.assertRaises(PeerError):
            welcome(connection.device, connection.challenge, answer)
        self.assertEqual(self.device.outbox.acked, 0)

    def test_every_bit_and_every_prefix(self):
        for bit in range(8 * len(self.welcome)):
            self.refused(flipped(self.welcome, bit))
        for size in range(len(self.welcome)):
            self.refused(self.welcome[:size])
        self.refused(self.welcome + b"\0")
        self.assertIsNone(self.device.outbox.stream)
        self.assertEqual(welcome(self.connection.device, self.connection.challenge, self.welcome), TIME_MS)

    def test_an_old_welcome(self):
        self.refused(self.welcome, Connection(self.device, self.gateway))
        # Not even with a gateway whose randomness is stuck.
        self.gateway.nonces = 0
        again = Connection(self.device, self.gateway)
        self.assertEqual(again.challenge, self.connection.challenge)
        self.refused(self.welcome, again)

    def test_its_own_record_reflected(self):
        connection = Connection(self.device, self.gateway)
        self.refused(connection.up[1], connection)
        self.refused(connection.hello, connection)
        self.refused(connection.challenge, connection)

    def test_a_welcome_for_another_device(self):
        other = Connection(Device(key=bytes(32), name="sensor-2"), self.gateway)
        self.refused(self.welcome, other)

    def test_a_refusal_is_read_but_believed_by_nobody(self):
        for reason, word in ((REFUSE_KEY, "wrong key"), (REFUSE_ATTEMPT, "boot count"), (77, "reason 77")):
            connection = Connection(self.device, self.gateway)
            with self.assertRaises(PeerError) as caught:
                welcome(connection.device, connection.challenge, bytes((3, reason)))
            self.assertIn(word, str(caught.exception))
            self.assertEqual(connection.device.refused, reason)
        self.assertIsNone(self.device.outbox.stream)
        connect(self.device, self.gateway)
        self.assertTrue(self.device.outbox.stream)

    def test_what_only_looks_like_a_refusal(self):
        for answer in (b"\x03", b"\x03\x02\x00", b"\x02\x02", b"\x03\x02" * 2):
            self.refused(answer)
            self.assertEqual(self.connection.device.refused, 0)
