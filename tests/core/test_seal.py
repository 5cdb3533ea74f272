"""Sealed records: what was sealed, in the order in which it was sealed, or `PeerError`."""

import sys
import unittest

from ends import Dice, flipped

from eventhive.core.aes import Ctr
from eventhive.core.errors import PeerError
from eventhive.core.mac import Mac
from eventhive.core.seal import MAX_RECORDS, TAG_BYTES, Sealed

KEY = bytes(range(32))
TEXTS = [b'[2,1,{"c":%d}]' % number for number in range(5)]


class SealTest(unittest.TestCase):
    def setUp(self):
        self.sender, self.receiver = Sealed(KEY), Sealed(KEY)
        self.records = [self.sender.seal(text) for text in TEXTS]
        self.pairs = [(TEXTS[at], self.records[at]) for at in range(len(TEXTS))]

    def refused(self, record):
        with self.assertRaises(PeerError):
            self.receiver.open(record)

    def test_in_order(self):
        for text, record in self.pairs:
            self.assertEqual(len(record), len(text) + Sealed.overhead)
            self.assertEqual(self.receiver.open(record), text)

    def test_any_length(self):
        for size in (0, 1, 15, 16, 17, 127, 128, 129, 1000, 4080):
            text = bytes([size & 255]) * size
            self.assertEqual(Sealed(KEY).open(Sealed(KEY).seal(text)), text)

    def test_one_text_never_looks_the_same(self):
        self.assertEqual(len({self.sender.seal(b"[5,0]")[:5] for _ in range(50)}), 50)

    def test_every_bit_counts(self):
        record = self.records[0]
        for bit in range(8 * len(record)):
            self.refused(flipped(record, bit))
        self.assertEqual(self.receiver.open(record), TEXTS[0])

    def test_every_prefix_of_the_record_and_of_the_tag(self):
        record = self.records[0]
        for size in range(len(record)):
            self.refused(record[:size])
        cipher, tag = record[:-TAG_BYTES], record[-TAG_BYTES:]
        for size in range(TAG_BYTES):
            self.refused(cipher + tag[:size])
            self.refused(cipher + tag[:size] + bytes(TAG_BYTES - size))
            self.refused(tag[:size])
        self.refused(record + b"\0")
        self.refused(b"\0" + record)

    def test_a_record_of_a_tag_alone(self):
        self.refused(bytes(TAG_BYTES))
        self.refused(b"")

    def test_not_twice(self):
        self.receiver.open(self.records[0])
        self.refused(self.records[0])
        self.receiver.open(self.records[1])
        self.refused(self.records[0])
        self.refused(self.records[1])

    def test_none_left_out_and_none_moved(self):
        for record in self.records[1:]:
            self.refused(record)
        self.receiver.open(self.records[0])
        for record in self.records[2:]:
            self.refused(record)

    def test_pieces_of_two_records(self):
        one, two = self.records[:2]
        self.refused(one[:-TAG_BYTES] + two[-TAG_BYTES:])
        self.refused(two[:-TAG_BYTES] + one[-TAG_BYTES:])
        self.refused(one + two)

    def test_every_bit_of_the_keys_counts(self):
        for bit in range(8 * len(KEY)):
            if bit < 128:
                self.assertNotEqual(Sealed(flipped(KEY, bit)).seal(TEXTS[0])[:-TAG_BYTES], self.records[0][:-TAG_BYTES])
            else:
                with self.assertRaises(PeerError):
                    Sealed(flipped(KEY, bit)).open(self.records[0])

    def test_what_is_refused_changes_nothing(self):
        for text, record in self.pairs:
            self.refused(flipped(record, 3))
            self.refused(b"")
            self.assertEqual(self.receiver.open(record), text)

    def test_noise(self):
        dice = Dice(7)
        for size in range(100):
            self.refused(bytes([dice.below(256) for _ in range(size)]))

    def test_the_number_is_named(self):
        self.receiver.open(self.records[0])
        with self.assertRaises(PeerError) as caught:
            self.receiver.open(self.records[0])
        self.assertEqual(str(caught.exception), "record 1 is not authentic")

    @unittest.skipIf(sys.implementation.name == "micropython", "the name of the private counter is squeezed away there")
    def test_no_number_is_used_beyond_the_last(self):
        self.sender._number = self.receiver._number = MAX_RECORDS - 1
        self.assertEqual(self.receiver.open(self.sender.seal(b"last")), b"last")
        with self.assertRaises(PeerError):
            self.sender.seal(b"one more")
        number = MAX_RECORDS.to_bytes(4, "big")
        cipher = Ctr(KEY[:16]).crypt(MAX_RECORDS, b"one more")
        self.refused(cipher + Mac(KEY[16:]).digest(number, cipher)[:TAG_BYTES])
