"""What a session makes of numbered messages and of names: order, duplicates, gaps, aliases, what cannot be used."""

from ends import Device, Gateway, connect, ways
from sessions import STREAM, SessionTest

from eventhive.core.envelope import EVENT, ONCE
from eventhive.core.errors import PeerError
from eventhive.core.session import MAX_NUMBER, REJECTED, is_count

NAME = "net/queen/t"


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
            way.sender.receive_data(way.receiver.seal.seal(b"[10,1,1]"))
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
