"""The mark of what was received of a stream."""

import unittest

from eventhive.core.mark import Mark

STREAM = "a1a2a3a400000001"


class MarkTest(unittest.TestCase):
    def test_a_stream_is_believed_where_it_begins(self):
        mark = Mark()
        self.assertEqual((mark.taken, mark.confirmed), (0, 0))
        self.assertIs(mark.resume(STREAM, 8), mark)
        self.assertEqual((mark.stream, mark.taken, mark.confirmed), (STREAM, 7, 7))

    def test_going_back_takes_nothing_back(self):
        mark = Mark().resume(STREAM, 1)
        mark.taken, mark.confirmed = 5, 3
        mark.resume(STREAM, 2)
        self.assertEqual((mark.taken, mark.confirmed), (5, 3))

    def test_a_declared_gap_is_passed_but_not_confirmed(self):
        mark = Mark().resume(STREAM, 1)
        mark.taken, mark.confirmed = 5, 3
        mark.resume(STREAM, 9)
        self.assertEqual((mark.taken, mark.confirmed), (8, 3))

    def test_gaps_are_counted(self):
        # Not the beginning of a stream, nor going back.
        mark = Mark().resume(STREAM, 100)
        self.assertEqual(mark.gaps, 0)
        mark.resume(STREAM, 50)
        mark.resume(STREAM, 101)
        self.assertEqual(mark.gaps, 1)
        mark.taken = 110
        mark.resume(STREAM, 114)
        mark.resume(STREAM, 114)
        self.assertEqual((mark.gaps, mark.taken), (4, 113))

    def test_another_stream_begins_anew(self):
        mark = Mark().resume(STREAM, 1)
        mark.taken = mark.confirmed = 50
        mark.resume("a1a2a3a400000002", 1)
        self.assertEqual((mark.taken, mark.confirmed), (0, 0))
