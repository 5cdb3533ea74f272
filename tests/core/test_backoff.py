"""Delays between attempts, read without waiting."""

import unittest

from eventhive.core.backoff import FIRST_MS, MAX_MS, delays


def longest(below):
    return 0


def shortest(below):
    return below - 1


def first(count, waits):
    return [next(waits) for _ in range(count)]


class BackoffTest(unittest.TestCase):
    def test_doubles_up_to_the_longest(self):
        self.assertEqual(first(8, delays(longest)), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000])

    def test_at_most_half_is_taken_off(self):
        self.assertEqual(first(8, delays(shortest)), [250, 500, 1000, 2000, 4000, 8000, 15000, 15000])

    def test_other_bounds(self):
        self.assertEqual(first(5, delays(longest, 500, 5000)), [500, 1000, 2000, 4000, 5000])
        self.assertEqual(first(3, delays(longest, 7, 7)), [7, 7, 7])

    def test_never_zero_and_never_past_the_longest(self):
        for below in (longest, shortest, lambda below: below // 3):
            for wait in first(100, delays(below)):
                self.assertGreaterEqual(wait, FIRST_MS // 2)
                self.assertLessEqual(wait, MAX_MS)

    def test_randomness_is_asked_once_for_each(self):
        asked = []

        def below(size):
            asked.append(size)
            return 0

        waits = delays(below)
        self.assertEqual(asked, [])
        next(waits)
        self.assertEqual(asked, [251])
        next(waits)
        self.assertEqual(asked, [251, 501])

    def test_two_that_lost_the_same_gateway_wait_apart(self):
        one, other = delays(lambda below: below // 4), delays(lambda below: below // 2)
        for wait in first(10, one):
            self.assertGreater(wait, next(other))
