"""The gateway's hand-shake: who is admitted, and what everybody else gets to see."""

import unittest

from ends import KEY, NAME, STREAM, Connection, Device, Gateway, connect, drained, flipped

from eventhive.core.clear import CHALLENGE_BYTES, HELLO_HEAD_BYTES, REFUSE_KIND, UNKEYED, VERSION
from eventhive.core.envelope import EVENT, PONG
from eventhive.core.errors import PeerError
from eventhive.core.gateway_session import FIRST_FLIGHT_BYTES, MIN_LIMIT, Hello
from eventhive.core.keys import link_mac, session_keys
from eventhive.core.refusals import REFUSE_ATTEMPT, REFUSE_BUSY, REFUSE_KEY, REFUSE_UNKEYED, REFUSE_VERSION
from eventhive.core.seal import Sealed
from eventhive.core.session import HANDSHAKE_MS, OPENED, RUNNING


def given(session, *messages):
    """The events of a session that is given these messages, and whether it called them a fault of the peer."""
    events = []
    for message in messages:
        session.receive_data(message)
        try:
            event = session.next_event()
            while event:
                events.append(event)
                event = session.next_event()
        except PeerError:
            return events, True
    return events, False


def refusal(reason):
    return [bytes((REFUSE_KIND, reason))]


class HandshakeTest(unittest.TestCase):
    """`hello` and `record` are what a device answers to the challenge of `session`."""

    def setUp(self):
        self.begin()

    def begin(self, device=None, gateway=None):
        self.gateway = gateway or Gateway()
        self.session = self.gateway.session()
        self.challenge = self.session.data_to_send()
        self.hello, self.device = (device or Device()).greet(self.challenge)
        self.record = self.device.data_to_send()

    def shut_out(self, *messages):
        """These messages open nothing, and the session is over without another word than a refusal."""
        events, _ = given(self.session, *messages)
        self.assertEqual(events, [])
        self.assertNotEqual(self.session.state, RUNNING)
        if self.session.closed:
            self.assertIn(drained(self.session), ([], refusal(self.session.refused)))
            self.assertEqual(given(self.session, self.hello, self.record), ([], False))
        return self.session.closed

    def first_record(self, text):
        """The device's record 0, with this text."""
        return Sealed(session_keys(link_mac(KEY), self.challenge, self.hello)[0]).seal(text)


class AdmittedTest(HandshakeTest):
    def test_nothing_but_the_challenge_before_the_proof(self):
        self.assertEqual(drained(self.session), [])
        self.assertEqual(given(self.session, self.hello), ([], False))
        self.assertEqual(drained(self.session), [])
        events, _ = given(self.session, self.record)
        self.assertEqual(events[0][0], OPENED)
        hello = events[0][1]
        self.assertEqual((hello.name, hello.attempt, hello.keygen, hello.version), (NAME, 1, 0, VERSION))
        # Nor before somebody has looked at the attempt.
        self.assertEqual(drained(self.session), [])

    def test_hello_and_record_may_come_together(self):
        self.session.receive_data(self.hello)
        self.session.receive_data(self.record)
        self.assertEqual(self.session.next_event()[0], OPENED)

    def test_the_stream_is_fresh_or_the_devices_own(self):
        device, gateway = Device(), Gateway()
        connect(device, gateway)
        self.assertEqual(device.outbox.stream, STREAM % 1)
        connect(device, gateway)
        self.assertEqual(device.outbox.stream, STREAM % 1)
        connect(Device(), gateway)
        self.assertEqual(gateway.streams, 3)

    def test_commands_may_be_as_long_as_the_device_takes(self):
        gateway = Gateway()
        connect(Device(limit=300), gateway)
        self.assertEqual(gateway.outbox.largest, 300 - 16)

    def test_what_follows_the_open_comes_after_the_admission(self):
        device, gateway = Device(), Gateway()
        connect(device, gateway)
        device.put("net/queen/t", 1)
        connection = Connection(device, gateway)
        connection.to_gateway()
        connection.gateway.receive_data(connection.up.pop())
        event = connection.gateway.next_event()
        self.assertEqual(event[0], OPENED)
        gateway.take(connection.gateway, event)
        self.assertEqual(connection.gateway.next_event(), (EVENT, "net/queen/t", 1, 1))

    def test_a_ping_comes_back_once_and_events_beside_it(self):
        device, gateway = Device(), Gateway()
        connection = connect(device, gateway)
        connection.gateway.ping(1234)
        device.put("net/queen/t", 1)
        connection.settle()
        self.assertEqual(sorted(event[:2] for event in gateway.events), [(EVENT, "net/queen/t"), (PONG, 1234)])
        connection.gateway.tick(1000 * device.heartbeat_s)
        connection.settle()
        self.assertEqual(len(gateway.events), 2)

    def test_output_is_told_whenever_there_is_some(self):
        device, gateway = Device(), Gateway()
        session = gateway.session()
        self.assertTrue(session.has_output)
        connection = connect(device, gateway)
        session = connection.gateway
        self.assertFalse(session.has_output)
        acts = (
            lambda: gateway.put("net/sensor-1/led", 1),
            lambda: session.ping(7),
            lambda: gateway.confirm(session),
            lambda: session.close("over"),
        )
        device.put("net/queen/t", 1)
        connection.settle()
        for act in acts:
            act()
            self.assertTrue(session.has_output)
            drained(session)
            self.assertEqual(session.has_output, bool(session.closed))

    def test_a_refused_device_is_not_heard_further(self):
        device, gateway = Device(), Gateway()
        connect(device, gateway)
        device.put("net/queen/t", 1)
        self.begin(device, gateway)
        given(self.session, self.hello)
        self.session.receive_data(self.record)
        self.assertEqual(self.session.next_event()[0], OPENED)
        self.session.refuse(REFUSE_ATTEMPT, "a second board")
        self.assertIsNone(self.session.next_event())
        self.assertEqual(drained(self.session), refusal(REFUSE_ATTEMPT))
        self.assertEqual(self.session.closed, "a second board")

    def test_a_refusal_without_a_reason_of_its_own(self):
        self.session.refuse(REFUSE_BUSY)
        self.assertIn("too many connections", self.session.closed)
        self.assertEqual(drained(self.session), refusal(REFUSE_BUSY))


class TamperTest(HandshakeTest):
    """Whatever somebody on the way changes, there is no session."""

    def test_every_bit_of_the_challenge(self):
        for bit in range(8 * CHALLENGE_BYTES):
            self.begin()
            try:
                self.hello, device = Device().greet(flipped(self.challenge, bit))
            except PeerError:
                continue
            self.assertTrue(self.shut_out(self.hello, device.data_to_send()), bit)

    def test_every_bit_of_the_hello(self):
        for bit in range(8 * len(self.hello)):
            self.begin()
            self.assertTrue(self.shut_out(flipped(self.hello, bit), self.record), bit)

    def test_every_bit_of_the_record(self):
        for bit in range(8 * len(self.record)):
            self.begin()
            self.assertTrue(self.shut_out(self.hello, flipped(self.record, bit)), bit)
            self.assertEqual(self.session.refused, REFUSE_KEY)

    def test_every_prefix_of_the_record(self):
        for size in range(len(self.record)):
            self.begin()
            self.assertTrue(self.shut_out(self.hello, self.record[:size]), size)

    def test_bytes_moved_from_one_frame_to_the_other(self):
        for count in range(1, 5):
            for hello, record in (
                (self.hello[:-count], self.hello[-count:] + self.record),
                (self.hello + self.record[:count], self.record[count:]),
            ):
                self.begin()
                self.assertTrue(self.shut_out(hello, record))

    def test_a_recorded_flight(self):
        device = Device()
        self.begin(device)
        hello, record = self.hello, self.record
        self.assertEqual(len(given(self.session, hello, record)[0]), 1)
        for old in ((True, True), (True, False), (False, True)):
            self.begin(device, self.gateway)
            self.assertTrue(self.shut_out(hello if old[0] else self.hello, record if old[1] else self.record), old)

    def test_a_flight_for_another_device(self):
        gateway = Gateway()
        gateway.links["sensor-2"] = link_mac(bytes(32))
        self.begin(gateway=gateway)
        hello = self.hello[: HELLO_HEAD_BYTES - 1] + b"\x08sensor-2"
        self.assertTrue(self.shut_out(hello, self.record))

    def test_the_challenge_reflected(self):
        self.assertTrue(self.shut_out(self.challenge))

    def test_a_hello_alone_is_forgotten_in_time(self):
        self.assertIsNone(self.shut_out(self.hello))
        self.session.tick(HANDSHAKE_MS)
        self.assertTrue(self.session.closed)


class OracleTest(HandshakeTest):
    """Outside, an unknown id, a wrong key and a revoked key are one."""

    def seen(self, device, gateway):
        self.begin(device, gateway)
        after_hello = (given(self.session, self.hello), drained(self.session), self.session.closed)
        faults = given(self.session, self.record)
        return after_hello, faults, drained(self.session), self.session.refused

    def test_the_same_bytes_at_the_same_time(self):
        revoked = Gateway()
        revoked.links.clear()
        unknown = self.seen(Device(name="sensor-9"), Gateway())
        self.assertEqual(unknown[0], (([], False), [], None))
        self.assertEqual(self.seen(Device(key=bytes(32)), Gateway()), unknown)
        self.assertEqual(self.seen(Device(), revoked), unknown)
        self.assertEqual(unknown[2:], (refusal(REFUSE_KEY), REFUSE_KEY))


class HelloTest(HandshakeTest):
    def test_a_layout(self):
        for size in range(len(self.hello)):
            self.begin()
            self.assertTrue(self.shut_out(self.hello[:size]), size)
        for hello in (self.hello + b"x", b"\x01" + self.hello[1:], b"GET / HTTP/1.1\r\n\r\n" * 3):
            self.begin()
            self.assertTrue(self.shut_out(hello))

    def test_ids(self):
        head = self.hello[: HELLO_HEAD_BYTES - 1]
        for name in (b"", b"a b", b"../a", b"a/b", b"*", b"\xff\xfe", b"a\n", b"\xc3\xa4", b"x" * 33, b"\0"):
            with self.subTest(name=name), self.assertRaises(PeerError):
                Hello(head + bytes([len(name)]) + name)
        self.assertEqual(Hello(head + b"\x03a-_").name, "a-_")

    def test_another_version_is_told(self):
        for version in (0, 2, 255):
            self.begin()
            self.assertTrue(self.shut_out(self.hello[:1] + bytes([version]) + self.hello[2:]))
            self.assertEqual(self.session.refused, REFUSE_VERSION)
            self.assertIn("version %d" % version, self.session.closed)

    def test_a_device_that_takes_next_to_nothing(self):
        for limit in (0, 1, MIN_LIMIT - 1):
            self.begin(Device(limit=limit))
            self.assertTrue(self.shut_out(self.hello))
        self.begin(Device(limit=MIN_LIMIT))
        self.assertEqual(len(given(self.session, self.hello, self.record)[0]), 1)


class DowngradeTest(HandshakeTest):
    def test_a_device_without_a_key_where_keys_are_demanded(self):
        self.begin(gateway=Gateway(key=None))
        self.unkeyed_hello("other")
        self.assertTrue(self.shut_out(self.hello))
        self.assertEqual(self.session.refused, REFUSE_UNKEYED)

    def unkeyed_hello(self, name):
        """A hello of mode 0, from somebody who does not care what the challenge demands."""
        challenge = self.challenge[:3] + b"\0" + self.challenge[4:]
        self.hello, device = Device(key=None, name=name).greet(challenge)
        self.record = device.data_to_send()

    def test_an_enrolled_id_without_its_key(self):
        self.begin(gateway=Gateway(mode=UNKEYED))
        self.unkeyed_hello(NAME)
        self.assertTrue(self.shut_out(self.hello, self.record))
        self.assertEqual(self.session.refused, REFUSE_UNKEYED)

    def test_an_unknown_id_where_none_is_needed(self):
        self.begin(gateway=Gateway(mode=UNKEYED))
        self.unkeyed_hello("other")
        self.assertEqual(len(given(self.session, self.hello, self.record)[0]), 1)

    def test_the_demand_taken_out_of_the_challenge(self):
        self.hello, device = Device().greet(self.challenge[:3] + b"\0" + self.challenge[4:])
        self.assertTrue(self.shut_out(self.hello, device.data_to_send()))
        self.assertEqual(self.session.refused, REFUSE_KEY)

    def test_the_mode_taken_out_of_the_hello(self):
        for gateway in (Gateway(), Gateway(mode=UNKEYED)):
            self.begin(gateway=gateway)
            self.assertTrue(self.shut_out(self.hello[:2] + b"\0" + self.hello[3:], b"[0,20]"))
            self.assertEqual(self.session.refused, REFUSE_UNKEYED)


class FirstRecordTest(HandshakeTest):
    def test_something_else_than_an_open(self):
        for text in (
            b"[1,20]",
            b'[2,"net/queen/t",1]',
            b"[5,0]",
            b'[7,"bye",0]',
            b"[[5,0],[0,20]]",
            b'[[4,"a1a2a3a400000001",1],[0,20]]',
            b"[0]",
            b"[0,true]",
            b"[99,20]",
            b"[]",
            b"",
            b"no",
            b"\xff",
        ):
            with self.subTest(text=text):
                self.begin()
                self.assertIn("not an open", self.shut_out(self.hello, self.first_record(text)))
                # Its key is the right one, and nobody should look for another.
                self.assertEqual(self.session.refused, 0)

    def test_heartbeats(self):
        for heartbeat in (b"0", b"4", b"3601", b"-20", b"true", b"null", b"20.0", b'"20"', b"[20]", b"1e1"):
            with self.subTest(heartbeat=heartbeat):
                self.begin()
                self.assertTrue(self.shut_out(self.hello, self.first_record(b"[0,%s]" % heartbeat)))
        for heartbeat in (b"5", b"3600", b'20,"later"'):
            self.begin()
            self.assertEqual(len(given(self.session, self.hello, self.first_record(b"[0,%s]" % heartbeat))[0]), 1)

    def test_not_opened_twice(self):
        for text in (b"[[0,20],[0,20]]", b"[0,20]"):
            self.begin()
            self.session.receive_data(self.hello)
            self.session.receive_data(self.first_record(text))
            self.gateway.take(self.session, self.session.next_event())
            with self.assertRaises(PeerError):
                if len(text) < 8:
                    self.device.say(b"[0,20]")
                    self.session.receive_data(self.device.data_to_send())
                self.session.next_event()


class LimitTest(HandshakeTest):
    def test_bytes_before_the_proof(self):
        for messages in (
            [bytes(FIRST_FLIGHT_BYTES + 1)],
            [self.hello, bytes(FIRST_FLIGHT_BYTES + 1 - len(self.hello))],
            [bytes(10240)],
        ):
            self.begin()
            self.assertTrue(self.shut_out(*messages))
        self.assertIn("%d bytes" % FIRST_FLIGHT_BYTES, self.session.closed)

    def test_bytes_that_nobody_looks_at(self):
        for _ in range(20):
            self.session.receive_data(bytes(100))
        self.assertTrue(self.session.closed)
        self.assertIsNone(self.session.next_event())

    def test_the_longest_first_flight(self):
        padded = b"[0,20]" + b" " * (FIRST_FLIGHT_BYTES - len(self.hello) - 6 - 16)
        record = self.first_record(padded)
        self.assertEqual(len(self.hello) + len(record), FIRST_FLIGHT_BYTES)
        self.assertEqual(len(given(self.session, self.hello, record)[0]), 1)

    def test_time(self):
        self.session.tick(HANDSHAKE_MS - 1)
        self.assertIsNone(self.session.closed)
        given(self.session, self.hello)
        self.session.tick(1)
        self.assertIn("nothing heard", self.session.closed)
        self.assertEqual(given(self.session, self.record), ([], False))
        self.assertEqual(drained(self.session), [])

    def test_empty_messages(self):
        self.assertTrue(self.shut_out(b""))
        self.begin()
        self.assertTrue(self.shut_out(self.hello, b""))
