"""The block cipher of CPython, which makes key streams ahead: nobody can tell but by the time it takes."""

import unittest

from Crypto.Cipher import AES

from eventhive.core import aes_host
from eventhive.core.aes_host import BLOCKS, MAX_AHEAD, RECORDS, BlockCipher, CounterMode

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

    def test_in_the_middle_of_a_record(self):
        for start in (0, 0, 1, RECORDS):
            for block in (1, BLOCKS, 300):
                self.same(counters(start, block + 2)[16 * block :])

    def test_what_is_made_ahead_is_bounded_whatever_the_number_of_ciphers(self):
        others = [BlockCipher(KEY) for _ in range(2 * MAX_AHEAD)]
        for start in range(3):
            for other in others:
                self.assertEqual(other.encrypt(counters(start, 1)), plain.encrypt(counters(start, 1)))
            self.same(counters(start, 2))
            self.assertEqual(len(aes_host._ahead), MAX_AHEAD)

    def test_nothing_is_kept_of_a_cipher_that_is_no_more(self):
        before = len(aes_host._ahead)
        self.same(counters(0, 1))
        self.assertEqual(len(aes_host._ahead), before + 1)
        del self.cipher
        self.assertEqual(len(aes_host._ahead), before)

    def test_a_cipher_that_goes_on_makes_one_call_for_many_records(self):
        calls = []
        encrypt = self.cipher._encrypt
        self.cipher._encrypt = lambda blocks: calls.append(len(blocks)) or encrypt(blocks)
        for start in range(3 * RECORDS):
            self.same(counters(start, 1 + start % BLOCKS))
        self.assertEqual(len(calls), 3)


class CounterModeTest(unittest.TestCase):
    def test_sizes_and_counters_against_that_of_the_library(self):
        mode = CounterMode(KEY)
        for first in (bytes(16), KEY, b"\xff" * 16, b"\xff" * 15 + b"\xc0", bytes(8) + b"\xff" * 8):
            for size in (0, 1, 15, 16, 17, 1023, 1024, 1025, 5000):
                data = bytes(byte % 251 for byte in range(size))
                expected = AES.new(KEY, AES.MODE_CTR, nonce=b"", initial_value=first).encrypt(data)
                self.assertEqual(mode.crypt(first, data), expected)
                self.assertEqual(mode.crypt(first, expected), data)

    def test_a_first_block_has_16_bytes(self):
        for size in (0, 15, 17):
            with self.assertRaises(ValueError):
                CounterMode(KEY).crypt(bytes(size), b"x")
