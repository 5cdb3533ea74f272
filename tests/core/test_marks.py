"""The marks of one sender's streams: the last few are known."""

import unittest

from eventhive.core.marks import MARKS_KEPT, Marks


def stream(number):
    return "%016x" % number


class MarksTest(unittest.TestCase):
    def setUp(self):
        self.marks = Marks()

    def known(self):
        return [number for number in range(50) if self.marks.find(stream(number))]

    def test_nothing_is_known_at_first(self):
        self.assertIsNone(self.marks.last)
        self.assertIsNone(self.marks.find(stream(0)))

    def test_the_last_is_the_one_that_is_received(self):
        one = self.marks.resume(stream(1), 1)
        self.assertIs(self.marks.last, one)
        two = self.marks.resume(stream(2), 4)
        self.assertIs(self.marks.last, two)
        self.assertIsNot(one, two)
        self.assertEqual((two.stream, two.taken, two.confirmed), (stream(2), 3, 3))
        self.assertIs(self.marks.find(stream(1)), one)

    def test_a_stream_goes_on_where_it_was(self):
        one = self.marks.resume(stream(1), 1)
        one.taken, one.confirmed = 9, 7
        self.marks.resume(stream(2), 1)
        self.assertIs(self.marks.resume(stream(1), 8), one)
        self.assertEqual((one.taken, one.confirmed), (9, 7))
        self.assertIs(self.marks.last, one)

    def test_a_few_are_kept(self):
        for number in range(10):
            self.marks.resume(stream(number), 1)
            self.assertEqual(self.known(), list(range(max(0, number + 1 - MARKS_KEPT), number + 1)))

    def test_one_that_comes_back_is_the_newest(self):
        for number in (0, 1, 2, 3, 0, 4):
            self.marks.resume(stream(number), 1)
        self.assertEqual(self.known(), [0, 2, 3, 4])

    def test_going_to_and_fro_forgets_nothing(self):
        for number in (0, 1, 2, 3):
            self.marks.resume(stream(number), 1).taken = 10 + number
        for number in (3, 0, 1, 0, 2, 3, 1) * 5:
            self.assertEqual(self.marks.resume(stream(number), 5).taken, 10 + number)
        self.assertEqual(self.known(), [0, 1, 2, 3])

    def test_a_forgotten_stream_is_believed_again(self):
        self.marks.resume(stream(0), 1).taken = 100
        for number in range(1, 5):
            self.marks.resume(stream(number), 1)
        self.assertIsNone(self.marks.find(stream(0)))
        self.assertEqual(self.marks.resume(stream(0), 90).taken, 89)
