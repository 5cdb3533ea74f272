"""The block cipher of CPython, which makes key streams ahead: nobody can tell but by the time it takes."""

import unittest

from Crypto.Cipher import AES

from eventhive.core.aes_host import BLOCKS, RECORDS, BlockCipher

KEY = bytes(range(16))
plain = AES.new(KEY, AES.MODE_ECB)


def counters(start, blocks):
    return b"".join([(start << 32 | block).to_bytes(16, "big") for block in range(blocks)])


class BlockCipherTest(unittest.TestCase):
    def setUp(self):
        self.cipher = BlockCipher(KEY)

    def same(self, blocks):
        self.assertEqual(self.cipher.encrypt(blocks), plain.encrypt(blocks))

    def test_records_in_order(self):
        for start in range(3 * RECORDS):
            self.same(counters(start, 1 + start % BLOCKS))

    def test_records_in_any_order_and_again(self):
        for start in (5, 4, 5, 5, RECORDS, 0, 3 * RECORDS, 1, (1 << 32) - 1, 2):
            self.same(counters(start, BLOCKS))

    def test_more_blocks_than_are_made_ahead(self):
        for blocks in (BLOCKS, BLOCKS + 1, 100):
            self.same(counters(9, blocks))

    def test_nothing(self):
        self.assertEqual(self.cipher.encrypt(b""), b"")

    def test_what_is_made_ahead_is_bounded(self):
        for start in range(0, 1000, 7):
            self.same(counters(start, 1))
            self.assertLess(len(self.cipher._streams), RECORDS)
