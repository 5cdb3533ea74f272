"""The bounded outbox."""

import unittest

from ends import Dice

from eventhive.core.errors import LocalError
from eventhive.core.ring import ENTRY_BYTES, FRAME_BYTES, Outbox

NAME = "net/queen/t"
STREAM = "a1a2a3a400000001"


class OutboxTest(unittest.TestCase):
    def setUp(self):
        self.outbox = Outbox(1000, 200)

    def fill(self):
        """Put events in until there is no room; how many there were."""
        count = 0
        while self.outbox.put(NAME, b"12345"):
            count += 1
        return count

    def numbers(self):
        return [entry[0] for entry in self.outbox.entries]

    def test_numbers_grow_by_one(self):
        self.assertEqual([self.outbox.put(NAME, b"1") for _ in range(4)], [1, 2, 3, 4])
        self.assertEqual(self.outbox.next, 5)
        self.assertEqual(self.outbox.entries[1], (2, NAME, b"1"))

    def test_full_is_when_the_bytes_are_used_up(self):
        self.assertEqual(self.fill(), 1000 // (len(NAME) + 5 + ENTRY_BYTES))

    def test_full_to_the_last_byte(self):
        size = len(NAME) + 5 + ENTRY_BYTES
        for room, fits in ((3 * size, 3), (3 * size - 1, 2), (3 * size + 1, 3)):
            self.outbox = Outbox(room, 200)
            self.assertEqual(self.fill(), fits)

    def test_the_newest_is_dropped_counted_and_gets_no_number(self):
        count = self.fill()
        self.assertEqual(self.outbox.dropped, 1)
        self.assertEqual(self.outbox.put(NAME, b"12345"), 0)
        self.assertEqual(self.outbox.dropped, 2)
        self.assertEqual(self.numbers(), list(range(1, count + 1)))
        self.outbox.acknowledge(1)
        self.assertEqual(self.outbox.put(NAME, b"12345"), count + 1)

    def test_a_smaller_one_may_still_fit(self):
        self.fill()
        self.assertEqual(self.outbox.put("a/b/c", b""), 0)
        self.outbox.acknowledge(1)
        self.assertGreater(self.outbox.put("a/b/c", b""), 0)

    def test_an_event_that_no_link_takes_is_the_callers_fault(self):
        payload = bytes(200 - FRAME_BYTES - len(NAME))
        self.assertEqual(self.outbox.put(NAME, payload), 1)
        with self.assertRaises(LocalError) as caught:
            self.outbox.put(NAME, payload + b"x")
        self.assertIn(NAME, str(caught.exception))
        self.assertIn("takes %d" % (200 - FRAME_BYTES), str(caught.exception))
        self.assertEqual((self.outbox.next, self.outbox.dropped, len(self.outbox.entries)), (2, 0, 1))

    def test_acknowledged_events_are_forgotten(self):
        for _ in range(5):
            self.outbox.put(NAME, b"1")
        self.outbox.acknowledge(3)
        self.assertEqual(self.numbers(), [4, 5])
        self.assertEqual(self.outbox.acked, 3)
        self.outbox.acknowledge(5)
        self.assertEqual((self.numbers(), self.outbox.acked, self.outbox.next), ([], 5, 6))

    def test_an_older_acknowledgement_changes_nothing(self):
        for _ in range(5):
            self.outbox.put(NAME, b"1")
        for number in (0, 4, 4, 2, 0):
            self.outbox.acknowledge(number)
        self.assertEqual((self.numbers(), self.outbox.acked), ([5], 4))

    def test_the_cursor_stays_on_its_event(self):
        for _ in range(5):
            self.outbox.put(NAME, b"1")
        self.outbox.cursor = 3
        self.outbox.acknowledge(2)
        self.assertEqual(self.outbox.entries[self.outbox.cursor][0], 4)
        # More than was sent in this session: an earlier one had sent it.
        self.outbox.acknowledge(5)
        self.assertEqual(self.outbox.cursor, 0)

    def test_gaps_are_passed(self):
        for _ in range(6):
            self.outbox.put(NAME, b"1")
        self.outbox.remove(1, 3)
        self.assertEqual(self.numbers(), [1, 4, 5, 6])
        self.outbox.acknowledge(3)
        self.assertEqual(self.numbers(), [4, 5, 6])
        self.outbox.acknowledge(4)
        self.assertEqual(self.numbers(), [5, 6])

    def test_room_comes_back_to_the_last_byte(self):
        dice = Dice(1)
        room = self.fill()
        self.outbox.acknowledge(self.outbox.next - 1)
        for _ in range(300):
            for _ in range(dice.below(12)):
                self.outbox.put("a/b/" + "x" * dice.below(20), bytes(dice.below(100)))
            if dice.below(3):
                self.outbox.acknowledge(self.outbox.acked + dice.below(8))
            else:
                start = dice.below(len(self.outbox.entries) + 1)
                self.outbox.remove(start, start + dice.below(3))
        self.outbox.acknowledge(self.outbox.next)
        self.assertEqual(self.outbox.entries, [])
        self.assertEqual(self.fill(), room)

    def test_many_events_one_after_the_other(self):
        for number in range(1, 3000):
            self.assertEqual(self.outbox.put(NAME, bytes(100)), number)
            self.outbox.acknowledge(number)
        self.assertEqual((self.outbox.dropped, self.outbox.entries), (0, []))
