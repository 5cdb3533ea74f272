"""Requests and replies over a session, in both directions."""

from ends import DEVICE_LIMIT, ways
from sessions import STREAM, SessionTest

from eventhive.core.envelope import ASK, EVENT, REPLY, encode, messages
from eventhive.core.errors import LimitError
from eventhive.core.outcomes import NOBODY, RAISED, UNDONE, VALUE
from eventhive.core.requests import ask, reply

NAME = "net/queen/t"


class Deep:
    """What no JSON has a word for."""


class RequestTest(SessionTest):
    def test_there_and_back(self):
        for way in ways():
            ask(way.sender, 7, NAME, encode({"c": 1}))
            way.receiver.receive_data(way.sender.data_to_send())
            self.assertEqual(way.events(), [(ASK, NAME, {"c": 1}, 7)])
            reply(way.receiver, 7, VALUE, [1, None])
            way.sender.receive_data(way.receiver.data_to_send())
            self.assertEqual(way.sender.next_event(), (REPLY, 7, VALUE, [1, None]))

    def test_texts(self):
        for way in ways():
            ask(way.sender, 1, NAME, b"null")
            ask(way.sender, 2, NAME, b"true")
            record = way.sender.data_to_send()
            self.assertEqual(way.receiver.unseal.open(record), b'[[8,1,"net/queen/t",null],[8,2,1,true]]')
            reply(way.receiver, 1, NOBODY, "none here")
            self.assertEqual(way.answer(), [b'[9,1,2,"none here"]'])

    def test_a_name_is_known_to_events_afterwards(self):
        for way in ways():
            events = way.taken(b'[8,1,"a/b/c",1]', STREAM, b"[2,1,5]")
            self.assertEqual(events, [(ASK, "a/b/c", 1, 1), (EVENT, "a/b/c", 5, 1)])

    def test_too_long_a_request(self):
        for way in ways():
            with self.assertRaises(LimitError) as caught:
                ask(way.sender, 1, NAME, encode("x" * way.sender.room))
            self.assertIn("net/queen/t: a request of ", str(caught.exception))
            self.assertIsNone(way.sender.data_to_send())
            ask(way.sender, 1, NAME, encode("x" * (DEVICE_LIMIT - 100)))
            self.assertLessEqual(len(way.sender.data_to_send()), way.sender.room + 16)

    def replied(self, way, status, data):
        reply(way.receiver, 1, status, data)
        (text,) = way.answer()
        self.assertLessEqual(len(text), way.receiver.room)
        return messages(text)[0][2:]

    def test_what_cannot_travel_is_replaced_by_why(self):
        for way in ways():
            status, why = self.replied(way, VALUE, "x" * way.receiver.room)
            self.assertEqual((status, why[:46]), (UNDONE, "what the hook returned cannot travel: an answe"))
            status, why = self.replied(way, VALUE, Deep())
            self.assertEqual((status, why[:37]), (UNDONE, "what the hook returned cannot travel:"))
            status, why = self.replied(way, RAISED, "\x00" * way.receiver.room)
            self.assertEqual(status, RAISED)
            self.assertTrue(why)

    def test_data_that_is_not_usable(self):
        for way in ways():
            deep = b"[" * 17 + b"]" * 17
            self.assertEqual(way.taken(b'[8,3,"a/b/c",%s]' % deep), [])
            (text,) = way.answer()
            self.assertEqual(messages(text)[0][:3], [REPLY, 3, UNDONE])
            ((kind, number, status, why),) = way.taken(b"[9,4,0,%s]" % deep)
            self.assertEqual((kind, number, status), (REPLY, 4, UNDONE))
            self.assertIn("deeper", why)

    def test_later_items_are_ignored(self):
        for way in ways():
            self.assertEqual(way.taken(b'[8,1,"a/b/c",1,"later"]'), [(ASK, "a/b/c", 1, 1)])
            self.assertEqual(way.taken(b"[9,1,99,1,2,3]"), [(REPLY, 1, 99, 1)])
