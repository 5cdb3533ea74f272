"""What a running session sends, and how it ends, both directions alike."""

import unittest

from ends import (
    DEVICE_LIMIT,
    GATEWAY_LIMIT,
    TIME_MS,
    Connection,
    Device,
    Dice,
    Gateway,
    Way,
    connect,
    drained,
    ways,
)

from eventhive.core.envelope import BYE, EVENT, messages
from eventhive.core.errors import PeerError
from eventhive.core.session import BATCH_BYTES, MAX_ALIASES

STREAM = b'[4,"c1c2c3c400000001",1]'
NAME = "net/queen/t"


class SendTest(unittest.TestCase):
    def texts(self, way):
        """What the sender has to send, which the receiver takes."""
        records = drained(way.sender)
        texts = []
        for record in records:
            self.assertLessEqual(len(record), way.sender.room + 16)
            texts.append(way.receiver.unseal.open(record))
        return texts

    def test_the_stream_first_and_then_aliases(self):
        for way in ways():
            outbox = way.sender.outbox
            stream = outbox.stream.encode()
            outbox.put(NAME, b"1")
            outbox.put(NAME, b"2")
            self.assertEqual(self.texts(way), [b'[[4,"%s",1],[2,"net/queen/t",1],[2,1,2]]' % stream])
            outbox.put(NAME, b"3")
            self.assertEqual(self.texts(way), [b"[2,1,3]"])

    def test_control_before_acknowledgement_before_events(self):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]', b"[5,3]")
            way.receiver.outbox.put(NAME, b"1")
            stream = way.receiver.outbox.stream.encode()
            self.assertEqual(way.answer(), [b'[[6,3],[3,1],[4,"%s",1],[2,"net/queen/t",1]]' % stream])

    def test_a_gap_is_declared(self):
        for way in ways():
            outbox = way.sender.outbox
            for number in range(1, 6):
                outbox.put(NAME, b"%d" % number)
            outbox.remove(1, 3)
            stream = outbox.stream.encode()
            expected = b'[[4,"%s",1],[2,"net/queen/t",1],[4,"%s",4],[2,1,4],[2,1,5]]' % (stream, stream)
            self.assertEqual(self.texts(way), [expected])

    def test_batches(self):
        for way in ways():
            count = 0
            while way.sender.outbox.put(NAME, b'{"celsius":%d}' % count) and count < 150:
                count += 1
            texts = self.texts(way)
            for text in texts:
                self.assertLessEqual(len(text), BATCH_BYTES)
            for text in texts[:-1]:
                self.assertGreater(len(text), BATCH_BYTES - 40)
            sent = [message for text in texts for message in messages(text) if message[0] == EVENT]
            self.assertEqual([message[2]["celsius"] for message in sent], list(range(len(way.sender.outbox.entries))))

    def test_a_smaller_batch(self):
        for way in ways():
            way.sender.batch = 1
            for number in range(3):
                way.sender.outbox.put(NAME, b"%d" % number)
            events = [text for text in self.texts(way) if b"[2," in text]
            self.assertEqual(len(events), 3)

    def test_many_pongs_keep_to_the_limit(self):
        for is_up in (True, False):
            way = Way(is_up)
            way.taken(b"[" + b",".join([b"[5,123456789]"] * 60) + b"]")
            way.taken(b"[" + b",".join([b"[5,123456789]"] * 60) + b"]")
            answers = way.answer()
            for answer in answers:
                self.assertLessEqual(len(answer), BATCH_BYTES)
            self.assertEqual(sum([len(messages(answer)) for answer in answers]), 120)


    def test_a_sender_gives_32(self):
        for is_up in (True, False):
            way = Way(is_up)
            for turn in range(2):
                for number in range(34):
                    way.sender.outbox.put("net/queen/%d" % number, b"%d" % turn)
            texts = b"".join([way.receiver.unseal.open(record) for record in drained(way.sender)])
            self.assertEqual(texts.count(b'"net/queen/31"'), 1)
            self.assertIn(b"[2,32,1]", texts)
            self.assertEqual(texts.count(b'"net/queen/32"'), 2)
            self.assertNotIn(b"[2,33,", texts)


class SizeTest(unittest.TestCase):
    """Every size that the outbox takes fits the link, wherever the event stands."""

    def deliver(self, is_up, limit, sizes, drop=()):
        """Send events of these sizes over a link of this limit, without those at the indices `drop`."""
        device = Device(limit=DEVICE_LIMIT if is_up else limit)
        gateway = Gateway(limit=limit if is_up else GATEWAY_LIMIT)
        connection = connect(device, gateway)
        sender, receiver = (device, gateway) if is_up else (gateway, device)
        values = []
        for index, size in enumerate(sizes):
            value = "x" * (size - 2)
            self.assertGreater(sender.put("n/d/e", value), 0)
            if index not in drop:
                values.append(value)
        for index in sorted(drop, reverse=True):
            sender.outbox.remove(index, index + 1)
        connection.settle()
        self.assertEqual([event[2] for event in receiver.events], values)
        self.assertEqual(sender.outbox.dropped, 0)
        self.assertEqual(sender.outbox.entries, [])

    def test_one_event_of_every_size(self):
        for is_up in (True, False):
            for size in range(2, 128 - 16 - 12 - 5 + 1):
                self.deliver(is_up, 128, [size])

    def test_two_events(self):
        for is_up in (True, False):
            for size in range(2, 96):
                self.deliver(is_up, 128, [size, 10, size])

    def test_gaps_between_them(self):
        for is_up in (True, False):
            for size in range(2, 60):
                self.deliver(is_up, 160, [3, 3, size, 3, 3, 3], (1, 3))

    def test_any_mixture(self):
        dice = Dice(3)
        for turn in range(60):
            limit = 128 + dice.below(400)
            sizes = [2 + dice.below(limit - 16 - 12 - 5 - 1) for _ in range(10)]
            drop = {dice.below(10) for _ in range(4)}
            self.deliver(turn & 1, limit, sizes, drop)


class TooLongTest(unittest.TestCase):
    """What was queued before the link was known to be this short is dropped, counted and declared."""

    def test_dropped_counted_and_declared(self):
        for is_up in (True, False):
            device = Device(limit=DEVICE_LIMIT if is_up else 200)
            gateway = Gateway(limit=200 if is_up else GATEWAY_LIMIT)
            sender, receiver = (device, gateway) if is_up else (gateway, device)
            for value in (1, "x" * 300, 2, "x" * 300, "y" * 300, 3, "x" * 300):
                sender.put(NAME, value)
            connection = connect(device, gateway)
            self.assertEqual([event[2:] for event in receiver.events], [(1, 1), (2, 3), (3, 6)])
            self.assertEqual(sender.outbox.dropped, 4)
            self.assertEqual(sender.outbox.entries, [])
            sender.put(NAME, 4)
            connection.settle()
            self.assertEqual(receiver.events[3][2:], (4, 8))
            self.assertEqual(sender.outbox.acked, 8)


class HeartbeatTest(unittest.TestCase):
    def test_an_idle_end_pings(self):
        for way in ways():
            way.receiver.tick(19999)
            self.assertEqual(way.answer(), [])
            way.receiver.tick(1)
            self.assertEqual(way.answer(), [b"[5,0]"])
            way.receiver.tick(19999)
            self.assertEqual(way.answer(), [])

    def test_what_is_sent_anyway_is_a_sign_of_life(self):
        for way in ways():
            for _ in range(10):
                way.receiver.tick(15000)
                way.taken(b"[5,1]")
                self.assertEqual(way.answer(), [b"[6,1]"])

    def test_a_silent_peer_is_gone(self):
        for way in ways():
            way.receiver.tick(39999)
            self.assertIsNone(way.receiver.closed)
            way.receiver.tick(1)
            self.assertEqual(way.receiver.closed, "running: nothing heard for 40 s")
            self.assertEqual(drained(way.receiver), [])
            way.send(b"[5,0]")
            self.assertIsNone(way.receiver.next_event())

    def test_any_record_is_heard(self):
        for way in ways():
            for text in (b"[6,0]", STREAM, b"no JSON", b"[11]"):
                way.receiver.tick(39999)
                way.taken(text)
            self.assertIsNone(way.receiver.closed)

    def test_what_is_not_authentic_is_not_heard(self):
        for way in ways():
            way.receiver.tick(39999)
            way.receiver.receive_data(bytes(50))
            with self.assertRaises(PeerError):
                way.receiver.next_event()

    def test_the_device_names_the_interval(self):
        device = Device()
        device.heartbeat_s = 5
        connection = connect(device)
        for session in (connection.device, connection.gateway):
            session.tick(5000)
            self.assertEqual(len(drained(session)), 1)
            session.tick(5000)
            self.assertIn("10 s", session.closed)

    def test_both_ends_keep_each_other_alive(self):
        connection = connect()
        for _ in range(100):
            connection.device.tick(19000)
            connection.gateway.tick(19000)
            connection.settle()
        self.assertIsNone(connection.device.closed)
        self.assertIsNone(connection.gateway.closed)

    def test_a_closed_session_stays_as_it_is(self):
        for way in ways():
            way.receiver.close("stopped")
            way.receiver.tick(100000)
            self.assertEqual(way.receiver.closed, "stopped")


class EndTest(unittest.TestCase):
    def test_goodbye(self):
        for way in ways():
            way.sender.close("stopped", 60)
            self.assertEqual(way.sender.closed, "stopped")
            for record in drained(way.sender):
                way.receiver.receive_data(record)
            self.assertEqual(way.events(), [(BYE, "stopped", 60)])
            self.assertEqual(way.receiver.closed, "the other end said goodbye: stopped")

    def test_what_came_before_it_is_dealt_with_and_acknowledged(self):
        for way in ways():
            events = way.taken(b'[%s,[2,"a/b/c",1],[7,"x",0],[2,"a/b/c",2]]' % STREAM)
            self.assertEqual(events, [(EVENT, "a/b/c", 1, 1), (BYE, "x", 0)])
            self.assertEqual(way.answer(), [b"[3,1]"])

    def test_after_it_nothing_is_read(self):
        for way in ways():
            self.assertEqual(way.taken(b'[7,"x",0]', b"[5,0]", bytes(50)), [(BYE, "x", 0)])
            self.assertEqual(way.answer(), [])

    def test_a_goodbye_takes_acknowledgements_along_and_no_events(self):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]')
            way.receiver.outbox.put(NAME, b"1")
            way.receiver.close("stopped")
            self.assertEqual(way.answer(), [b'[[7,"stopped",0],[3,1]]'])

    def test_only_one_goodbye(self):
        for way in ways():
            way.receiver.close("one")
            way.receiver.close("two")
            self.assertEqual(way.receiver.closed, "one")
            self.assertEqual(way.answer(), [b'[7,"one",0]'])

    def test_a_failed_session_says_nothing(self):
        for way in ways():
            way.taken(b"[5,0]")
            way.receiver.outbox.put(NAME, b"1")
            way.receiver.fail("connection lost")
            way.receiver.close("stopped")
            self.assertEqual(drained(way.receiver), [])
            self.assertEqual(way.receiver.closed, "connection lost")

    def test_a_session_that_never_ran_has_no_goodbye(self):
        connection = Connection(Device(), Gateway())
        connection.device.close("stopped")
        self.assertEqual(drained(connection.device), [])
        self.assertEqual(connection.device.closed, "stopped")


class WholeTest(unittest.TestCase):
    def test_time_and_events_both_ways(self):
        device, gateway = Device(), Gateway()
        device.put("net/queen/t", {"celsius": 21.5})
        gateway.put("net/sensor-1/led", {"on": True})
        connection = connect(device, gateway)
        self.assertEqual(connection.time_ms, TIME_MS)
        self.assertEqual(gateway.events, [(EVENT, "net/queen/t", {"celsius": 21.5}, 1)])
        self.assertEqual(device.events, [(EVENT, "net/sensor-1/led", {"on": True}, 1)])
        self.assertEqual((device.outbox.entries, gateway.outbox.entries), ([], []))
        self.assertEqual((device.outbox.acked, gateway.outbox.acked), (1, 1))

    def test_more_names_than_aliases(self):
        device, gateway = Device(), Gateway()
        connection = connect(device, gateway)
        for turn in range(2):
            for number in range(MAX_ALIASES + 8):
                device.put("net/queen/%d" % number, turn)
        connection.settle()
        names = ["net/queen/%d" % number for number in range(MAX_ALIASES + 8)] * 2
        self.assertEqual([event[1] for event in gateway.events], names)
