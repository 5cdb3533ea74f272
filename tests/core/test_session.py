"""What a running session takes, both directions alike. What it sends is in test_session_sending.py."""

import sys

from ends import DEVICE_LIMIT, Device, Gateway, Way, connect, drained, flipped, ways
from sessions import STREAM, SessionTest

from eventhive.core.envelope import EVENT, HOOKS, ONCE, STATUS, encode
from eventhive.core.errors import PeerError
from eventhive.core.session import MAX_NUMBER, RUNNING

NAME = "net/queen/t"

# As deep as a board's message may go and its heap lets it; a gateway takes longer ones.
LEVELS = (20, 150) if sys.implementation.name == "micropython" else (20, 150, 480, 900, 980, 1000, 2000)


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

    def test_an_event_may_say_how_long_it_lives(self):
        for way in ways():
            texts = STREAM, b'[2,"a/b/c",1,1500]', b"[2,1,2,0]", b"[2,1,3,-1]", b"[2,1,4,true]", b"[2,1,5,null]"
            events = [(EVENT, "a/b/c", 1, 1, 1500), (EVENT, "a/b/c", 2, 2, 0)]
            events += [(EVENT, "a/b/c", number, number) for number in (3, 4, 5)]
            self.assertEqual(way.taken(*texts), events)

    def test_counters_of_a_board(self):
        for way in ways():
            self.assertEqual(way.taken(b'[12,{"heap":1}]'), [(STATUS, [{"heap": 1}])])

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
            b'[8,1,"a/b/c"]',
            b'[8,true,"a/b/c",1]',
            b'[8,-1,"a/b/c",1]',
            b'[8,1,"a b/c/d",1]',
            b"[8,1,5,1]",
            b"[9,1,0]",
            b"[9,-1,0,1]",
            b"[9,1,-1,1]",
            b"[9,1,true,1]",
            b"[13,1]",
            b"[-1]",
            b"[-2,1,2]",
            b"[999999999999999999999]",
        ):
            for way in ways():
                with self.subTest(text=text, which=way.which):
                    self.fault(way, STREAM, text)

    def test_a_fault_names_the_state(self):
        for way in ways():
            self.fault(way, b"[13,1]", why=RUNNING)

    def test_a_fault_in_the_middle_of_a_record(self):
        for way in ways():
            way.send(b'[%s,[2,"a/b/c",1],[13],[2,"a/b/c",2]]' % STREAM)
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
            b"[13,%s]",
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
