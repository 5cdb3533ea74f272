"""What a running session takes, both directions alike. What it sends is in test_session_sending.py."""

import sys
import unittest

from ends import DEVICE_LIMIT, Device, Gateway, Way, connect, drained, flipped, ways

from eventhive.core.envelope import EVENT, HOOKS, ONCE, encode
from eventhive.core.errors import PeerError
from eventhive.core.session import MAX_NUMBER, REJECTED, RUNNING, is_count

STREAM = b'[4,"c1c2c3c400000001",1]'
NAME = "net/queen/t"

# As deep as a board's message may go and its heap lets it; a gateway takes longer ones.
LEVELS = (20, 150) if sys.implementation.name == "micropython" else (20, 150, 480, 900, 980, 1000, 2000)


class SessionTest(unittest.TestCase):
    def fault(self, way, *texts, why=""):
        """The texts are a fault of the sender: the session is closed, says why, and no more."""
        with self.assertRaises(PeerError) as caught:
            way.taken(*texts)
        self.assertIn(why, str(caught.exception))
        self.assertEqual(way.receiver.closed, str(caught.exception))
        self.assertEqual(drained(way.receiver), [])
        way.send(b"[5,0]")
        self.assertIsNone(way.receiver.next_event())


class EventTest(SessionTest):
    def test_one_event_at_a_time(self):
        for way in ways():
            way.send(b'[%s,[2,"a/b/c",1],[2,"a/b/c",2],[5,9],[2,"a/b/c",3]]' % STREAM, b"[2,1,4]")
            for number in (1, 2, 3, 4):
                self.assertEqual(way.receiver.next_event(), (EVENT, "a/b/c", number, number))
                way.receiver.incoming().confirm()
                # Nothing of what follows has happened yet.
                answer = b"[3,%d]" % number if number != 3 else b"[[6,9],[3,3]]"
                self.assertEqual(way.answer(), [answer])
            self.assertIsNone(way.receiver.next_event())

    def test_messages_together_or_one_by_one(self):
        texts = [STREAM, b'[2,"a/b/c",{"c":21.5}]', b"[2,1,null]", b'[10,"a/b/d",[]]', b"[5,0]", b'[11,"n/d/e"]']
        expected = [(EVENT, "a/b/c", {"c": 21.5}, 1), (EVENT, "a/b/c", None, 2), (ONCE, "a/b/d", [], 0)]
        expected.append((HOOKS, ["n/d/e"]))
        for way in ways():
            self.assertEqual(way.taken(b"[" + b",".join(texts) + b"]"), expected)
        for way in ways():
            self.assertEqual(way.taken(*texts), expected)
        for way in ways():
            self.assertEqual([event for text in texts for event in way.taken(text)], expected)

    def test_every_kind_of_data(self):
        for way in ways():
            for number, data in enumerate([None, True, 0, -5, 0.25, "", "text", [], {}, {"a": [1, {"b": None}]}]):
                text = b'[%s,[2,"a/b/c",%s]]' % (STREAM.replace(b",1]", b",%d]" % (number + 1)), encode(data))
                self.assertEqual(way.taken(text), [(EVENT, "a/b/c", data, number + 1)])

    def test_items_that_came_later_are_ignored(self):
        for way in ways():
            events = way.taken(b'[4,"c1c2c3c400000001",1,"later"]', b'[2,"a/b/c",1,"later",{}]', b'[10,"a/b/c",2,3]')
            self.assertEqual(events, [(EVENT, "a/b/c", 1, 1), (ONCE, "a/b/c", 2, 0)])
            self.assertEqual(way.taken(b"[5,0,1]", b"[6,0,1]"), [])

    def test_once_has_no_number_and_no_acknowledgement(self):
        for way in ways():
            self.assertEqual(way.taken(b'[10,"a/b/c",1]', b"[10,1,2]"), [(ONCE, "a/b/c", 1, 0), (ONCE, "a/b/c", 2, 0)])
            self.assertEqual(way.answer(), [])

    def test_a_ping_gets_its_pong(self):
        for way in ways():
            way.taken(b"[5,0]", b"[[5,7],[5,%d]]" % MAX_NUMBER)
            self.assertEqual(way.answer(), [b"[[6,0],[6,7],[6,%d]]" % MAX_NUMBER])


class TamperTest(SessionTest):
    def test_every_bit_of_a_record(self):
        text = b'[%s,[2,"a/b/c",1]]' % STREAM
        for is_up in (True, False):
            bits = 8 * (len(text) + 16)
            for bit in range(0, bits, 3):
                way = Way(is_up)
                way.receiver.receive_data(flipped(way.sender.seal.seal(text), bit))
                with self.assertRaises(PeerError) as caught:
                    way.receiver.next_event()
                self.assertIn("not authentic", str(caught.exception))
                self.assertIsNone(way.receiver.next_event())
                self.assertEqual(drained(way.receiver), [])

    def refused(self, session, record):
        session.receive_data(record)
        with self.assertRaises(PeerError) as caught:
            session.next_event()
        self.assertIn("not authentic", str(caught.exception))

    def test_replayed_in_the_same_session(self):
        for way in ways():
            record = way.sender.seal.seal(b'[%s,[2,"a/b/c",1]]' % STREAM)
            way.receiver.receive_data(record)
            self.assertEqual(len(way.events()), 1)
            self.refused(way.receiver, record)

    def test_left_out_or_exchanged(self):
        for way in ways():
            way.sender.seal.seal(b"[5,0]")
            self.refused(way.receiver, way.sender.seal.seal(b"[5,1]"))

    def test_replayed_after_a_reconnect(self):
        for is_up in (True, False):
            device, gateway = Device(), Gateway()
            records = []
            for _ in range(2):
                # Even with a gateway whose randomness is stuck.
                gateway.nonces = 0
                connection = connect(device, gateway)
                sender, receiver = connection.device, connection.gateway
                if not is_up:
                    sender, receiver = receiver, sender
                for record in records:
                    self.refused(receiver, record)
                records.append(sender.seal.seal(b'[%s,[2,"a/b/c",1]]' % STREAM))

    def test_reflected(self):
        for way in ways():
            self.refused(way.sender, way.sender.seal.seal(b"[5,0]"))

    def test_towards_another_device(self):
        for is_up in (True, False):
            gateway = Gateway()
            one = connect(Device(), gateway)
            other = connect(Device(), gateway)
            sender, receiver = (one.device, other.gateway) if is_up else (one.gateway, other.device)
            self.refused(receiver, sender.seal.seal(b"[5,0]"))

    def test_a_message_over_the_limit(self):
        for is_up in (True, False):
            way = Way(is_up, Gateway(limit=DEVICE_LIMIT))
            longest = b"[5,0]" + b" " * (DEVICE_LIMIT - 5 - 16)
            self.assertEqual(way.taken(longest), [])
            self.fault(way, longest + b" ", why="%d are allowed" % DEVICE_LIMIT)

    def test_a_key_stream_that_is_used_up(self):
        class UsedUp:
            overhead = 16

            def seal(self, plain):
                raise PeerError("the session has used up its records")

        for way in ways():
            way.receiver.seal = UsedUp()
            way.taken(b"[5,0]")
            self.assertIsNone(way.receiver.data_to_send())
            self.assertIn("used up", way.receiver.closed)


class NumberTest(SessionTest):
    def test_a_duplicate_is_acknowledged_again_and_not_taken(self):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]', b"[2,1,2]")
            self.assertEqual(way.answer(), [b"[3,2]"])
            self.assertEqual(way.taken(STREAM, b"[2,1,1]"), [])
            self.assertEqual(way.answer(), [b"[3,2]"])
            self.assertEqual(way.taken(b"[2,1,2]"), [])
            self.assertEqual(way.taken(b"[2,1,3]"), [(EVENT, "a/b/c", 3, 3)])
            self.assertEqual(way.answer(), [b"[3,3]"])

    def test_what_is_seen_but_not_confirmed_is_not_acknowledged(self):
        for way in ways():
            way.send(STREAM, b'[2,"a/b/c",1]')
            way.receiver.next_event()
            self.assertIsNone(way.receiver.next_event())
            self.assertEqual(way.answer(), [])
            way.send(STREAM, b"[2,1,1]")
            self.assertIsNone(way.receiver.next_event())
            self.assertEqual(way.answer(), [])
            way.receiver.incoming().confirm()
            self.assertEqual(way.answer(), [b"[3,1]"])

    def test_a_declared_gap_is_passed(self):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]')
            self.assertEqual(way.taken(b'[4,"c1c2c3c400000001",9]', b"[2,1,9]"), [(EVENT, "a/b/c", 9, 9)])
            self.assertEqual(way.answer(), [b"[3,9]"])

    def test_a_stream_that_is_not_known_is_believed(self):
        for way in ways():
            events = way.taken(b'[4,"c1c2c3c400000001",1234567]', b'[2,"a/b/c",1]')
            self.assertEqual(events, [(EVENT, "a/b/c", 1, 1234567)])
            self.assertEqual(way.answer(), [b"[3,1234567]"])

    def test_an_event_before_its_stream(self):
        for way in ways():
            self.fault(way, b'[2,"a/b/c",1]', why="before its stream")
        for way in ways():
            self.fault(way, b"no JSON", why="before its stream")

    def test_streams(self):
        for stream, first in (
            (b'"c1c2c3c400000001"', b"0"),
            (b'"c1c2c3c400000001"', b"-1"),
            (b'"c1c2c3c400000001"', b"true"),
            (b'"c1c2c3c400000001"', b"null"),
            (b'"c1c2c3c400000001"', b"1.0"),
            (b'"c1c2c3c400000001"', b'"1"'),
            (b'"c1c2c3c400000001"', b"9007199254740992"),
            (b'"c1c2c3c40000000"', b"1"),
            (b'"c1c2c3c4000000011"', b"1"),
            (b'"c1c2c3c40000000g"', b"1"),
            (b"1", b"1"),
            (b"true", b"1"),
            (b"null", b"1"),
        ):
            for way in ways():
                with self.subTest(stream=stream, first=first, which=way.which):
                    self.fault(way, b"[4,%s,%s]" % (stream, first), why="impossible")

    def test_counts(self):
        for value in (0, 1, MAX_NUMBER):
            self.assertTrue(is_count(value))
        for value in (True, False, None, -1, 1.0, "1", MAX_NUMBER + 1, [1]):
            self.assertFalse(is_count(value))


class AcknowledgeTest(SessionTest):
    def filled(self):
        """Each direction, with three events that its receiver (of acknowledgements) has sent."""
        for way in ways():
            outbox = way.receiver.outbox
            for number in range(3):
                outbox.put(NAME, b"%d" % number)
            drained(way.receiver)
            yield way, outbox

    def test_what_was_sent(self):
        for way, outbox in self.filled():
            self.assertEqual(way.taken(b"[3,0]"), [(3, 0)])
            self.assertEqual(way.taken(b"[3,2]"), [(3, 2)])
            self.assertEqual(way.taken(b"[3,1]"), [(3, 1)])
            self.assertEqual([entry[0] for entry in outbox.entries], [3])
            self.assertEqual(way.taken(b"[3,3,99]"), [])
            self.assertEqual(way.taken(b'[3,3,"%s"]' % outbox.stream.encode()), [(3, 3)])
            self.assertEqual((outbox.entries, outbox.acked), ([], 3))

    def test_what_was_never_sent(self):
        for way, outbox in self.filled():
            self.fault(way, b"[3,4]", why="impossible")
            self.assertEqual(len(outbox.entries), 3)
        for way in ways():
            way.receiver.outbox.put(NAME, b"1")
            # Queued is not sent.
            self.fault(way, b"[3,1]", why="impossible")

    def test_another_stream_is_not_meant(self):
        for way, outbox in self.filled():
            self.assertEqual(way.taken(b'[3,3,"ffffffffffffffff"]'), [])
            self.assertEqual(len(outbox.entries), 3)

    def test_numbers_that_are_none(self):
        for number in (b"true", b"false", b"null", b"-1", b"1.0", b'"1"', b"[1]", b"{}", b"9007199254740992"):
            for way, outbox in self.filled():
                with self.subTest(number=number, which=way.which):
                    self.fault(way, b"[3,%s]" % number, why="impossible")
                    self.assertEqual(len(outbox.entries), 3)


class AliasTest(SessionTest):
    def test_the_nth_name_is_n(self):
        for way in ways():
            texts = [STREAM] + [b'[2,"a/b/%d",0]' % number for number in range(1, 33)]
            way.taken(*texts)
            for number in (1, 2, 31, 32):
                self.assertEqual(way.taken(b"[2,%d,5]" % number)[0][1], "a/b/%d" % number)

    def test_the_33rd_name_gets_none(self):
        for way in ways():
            way.taken(STREAM, *[b'[2,"a/b/%d",0]' % number for number in range(1, 34)])
            self.assertEqual(way.taken(b'[2,"a/b/33",6]')[0][1], "a/b/33")
            self.fault(way, b"[2,33,5]", why="alias 33 was never given")

    def test_an_alias_that_was_never_given(self):
        for alias in (b"0", b"1", b"-1", b"33", b"18446744073709551616"):
            for kind in (b"2", b"10"):
                for way in ways():
                    with self.subTest(alias=alias, which=way.which):
                        self.fault(way, STREAM, b"[%s,%s,1]" % (kind, alias), why="was never given")

    def test_a_name_counts_once(self):
        for way in ways():
            way.taken(STREAM, *[b'[2,"a/b/c",0]'] * 40)
            way.taken(b'[2,"a/b/d",0]')
            self.assertEqual(way.taken(b"[2,2,0]")[0][1], "a/b/d")

    def test_the_name_of_a_duplicate_counts(self):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]')
            self.assertEqual(way.taken(STREAM, b'[2,"a/b/d",1]'), [])
            self.assertEqual(way.taken(b"[2,2,2]"), [(EVENT, "a/b/d", 2, 2)])

    def test_the_name_of_a_rejected_event_counts(self):
        for way in ways():
            self.assertEqual(way.taken(STREAM, b'[2,"a/b/c",1e999]')[0][0], REJECTED)
            self.assertEqual(way.taken(b"[2,1,2]"), [(EVENT, "a/b/c", 2, 2)])

    def test_the_name_of_an_event_without_a_number_counts(self):
        for way in ways():
            way.taken(STREAM, b'[10,"a/b/c",1]', b'[10,"a/b/d",1e999]')
            self.assertEqual([event[1] for event in way.taken(b"[2,1,2]", b"[2,2,2]")], ["a/b/c", "a/b/d"])

    def test_each_direction_has_its_own(self):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]')
            way.sender.receive_data(way.receiver.seal.seal(b'[10,1,1]'))
            with self.assertRaises(PeerError):
                way.sender.next_event()

    def test_each_session_has_its_own(self):
        device, gateway = Device(), Gateway()
        for number in range(3):
            device.put(NAME, number)
            gateway.put(NAME, number)
            connect(device, gateway)
        self.assertEqual([event[1:] for event in gateway.events], [(NAME, number, number + 1) for number in range(3)])
        self.assertEqual(device.events, gateway.events)


class OutOfRulesTest(SessionTest):
    def test_numbers_and_names_that_are_none(self):
        for text in (
            b"[2,true,1]",
            b"[2,null,1]",
            b"[2,1.0,1]",
            b"[2,[],1]",
            b'[2,{"a":1},1]',
            b'[2,"",1]',
            b'[2,"a//b",1]',
            b'[2,"a b/c/d",1]',
            b'[2,"a/b/*",1]',
            b'[2,"a/b/\\u0000",1]',
            b'[2,"%s",1]' % (b"x" * 97),
            b"[2]",
            b'[2,"a/b/c"]',
            b'[10,"a/b/c"]',
            b"[10,true,1]",
            b"[3]",
            b"[4]",
            b'[4,"c1c2c3c400000001"]',
            b"[5]",
            b"[5,true]",
            b"[5,-1]",
            b'[5,"0"]',
            b"[7]",
            b'[7,"x"]',
            b"[0,20]",
            b'[1,5,"c1c2c3c400000001",0]',
            b'[8,1,"a/b/c",1]',
            b"[9,1,true,1]",
            b"[12,1]",
            b"[-1]",
            b"[-2,1,2]",
            b"[999999999999999999999]",
        ):
            for way in ways():
                with self.subTest(text=text, which=way.which):
                    self.fault(way, STREAM, text)

    def test_a_fault_names_the_state(self):
        for way in ways():
            self.fault(way, b"[12,1]", why=RUNNING)

    def test_a_fault_in_the_middle_of_a_record(self):
        for way in ways():
            way.send(b'[%s,[2,"a/b/c",1],[12],[2,"a/b/c",2]]' % STREAM)
            self.assertEqual(way.receiver.next_event(), (EVENT, "a/b/c", 1, 1))
            with self.assertRaises(PeerError):
                way.receiver.next_event()
            self.assertIsNone(way.receiver.next_event())

    def test_nesting_anywhere(self):
        for text in (
            b'[2,"a/b/c",%s]',
            b"[2,%s,1]",
            b"[3,%s]",
            b"[4,%s,1]",
            b'[4,"c1c2c3c400000001",%s]',
            b"[5,%s]",
            b"[6,%s]",
            b"[7,%s,0]",
            b'[7,"x",%s]',
            b'[10,"a/b/c",%s]',
            b"[10,%s,1]",
            b"[11,%s]",
            b"[12,%s]",
        ):
            for levels in LEVELS:
                for way in ways():
                    with self.subTest(text=text, levels=levels, which=way.which):
                        way.send(STREAM, text % (b"[" * levels + b"]" * levels))
                        try:
                            way.events()
                        except PeerError:
                            self.assertLess(len(way.receiver.closed), 300)

    def test_a_goodbye_that_is_no_text(self):
        for reason, wake in (("5", "0"), ("null", "0"), ("[]", "0"), ('"x"', "true"), ('"x"', "-1"), ('"x"', "null")):
            for way in ways():
                with self.subTest(reason=reason, wake=wake, which=way.which):
                    self.fault(way, b"[7,%s,%s]" % (reason.encode(), wake.encode()), why="impossible")


class UnusableTest(SessionTest):
    """An authentic event that cannot be used does not stand in the way of the next one."""

    def put_aside(self, text, why):
        for way in ways():
            way.taken(STREAM, b'[2,"a/b/c",1]')
            events = way.taken(text)
            self.assertEqual([event[:2] for event in events], [(REJECTED, 2)])
            self.assertIn(why, events[0][2])
            self.assertEqual(way.answer(), [b"[3,2]"])
            self.assertEqual(way.taken(b"[2,1,3]"), [(EVENT, "a/b/c", 3, 3)])
            # When it comes again, it is no news.
            self.assertEqual(way.taken(b'[4,"c1c2c3c400000001",2]', text), [])
            self.assertEqual(way.answer(), [b"[3,3]"])

    def test_what_is_no_json_is_one_event(self):
        for text in (b"", b"no", b"[2,1,", b"[2,1,inf]", b'[2,1,"\xff"]', b"{}", b"5", b"[]", b"[[]]", b"[true,1,2]"):
            with self.subTest(text=text):
                self.put_aside(text, "not JSON")

    def test_a_record_with_one_that_is_no_message_is_one_event(self):
        self.put_aside(b"[[2,1,1],[2,1,2],[true,1,3]]", "not JSON")

    def test_numbers_without_end(self):
        for text in (b"1e999", b"-1e999", b"[1e999]", b'{"a":{"b":[1,1e999]}}'):
            with self.subTest(text=text):
                self.put_aside(b"[2,1,%s]" % text, "has no JSON form")

    def test_too_deep(self):
        for levels in (17, 18, 100, 400):
            self.put_aside(b"[2,1,%s1%s]" % (b"[" * levels, b"]" * levels), "deeper than")

    def test_once_is_just_dropped(self):
        for way in ways():
            self.assertEqual(way.taken(b'[10,"a/b/c",1e999]', b'[10,"a/b/c",1]'), [(ONCE, "a/b/c", 1, 0)])
            self.assertEqual(way.answer(), [])

    def test_half_a_surrogate_pair(self):
        # In data it may come as an escape, which one reader takes and another one does not; in a name it is no name.
        for way in ways():
            events = way.taken(STREAM, b'[2,"a/b/c","\\ud800"]', b"[2,1,2]")
            self.assertEqual(events[-1], (EVENT, "a/b/c", 2, 2))
            self.assertEqual(way.answer(), [b"[3,2]"])
        for way in ways():
            self.fault(way, STREAM, b'[2,"a/b/\\ud800",1]')
