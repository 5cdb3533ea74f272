"""Counter mode made of single blocks; the vectors of SP 800-38A are in test_vectors.py."""

import unittest

from ends import beginning

from eventhive.core.aes import Ctr, block_cipher

KEY = bytes(range(16))


def key_stream(start, size):
    """Block by block, as SP 800-38A, 6.5 has it."""
    encrypt = block_cipher(KEY)
    blocks = [encrypt(((start << 32) + at).to_bytes(16, "big")) for at in range((size + 15) // 16)]
    return b"".join(blocks)[:size]


class BlockTest(unittest.TestCase):
    def test_counter_blocks_together_or_one_by_one(self):
        encrypt = block_cipher(KEY)
        blocks = [(77 + number).to_bytes(16, "big") for number in range(20)]
        for count in (1, 2, 8, 9, 20):
            self.assertEqual(encrypt(b"".join(blocks[:count])), b"".join([encrypt(block) for block in blocks[:count]]))

    def test_the_key_counts(self):
        self.assertNotEqual(block_cipher(KEY)(bytes(16)), block_cipher(bytes(16))(bytes(16)))


class CtrTest(unittest.TestCase):
    def test_every_length_across_the_pieces(self):
        # A board works in pieces of 128 bytes, CPython in one of 4096 and key streams of 128.
        stream = key_stream(5, 400)
        ctr = Ctr(KEY)
        for size in range(400):
            self.assertEqual(ctr.crypt(5, bytes(size)), stream[:size])

    def test_the_longest_message_and_more(self):
        stream = key_stream(0, 4200)
        for size in (4080, 4095, 4096, 4097, 4112, 4200):
            self.assertEqual(Ctr(KEY).crypt(0, bytes(size)), stream[:size])

    def test_starts_up_to_the_last_record(self):
        for start in (0, 1, 255, 256, 65535, 65536, (1 << 24) - 1, (1 << 32) - 1):
            self.assertEqual(Ctr(KEY).crypt(start, bytes(300)), key_stream(start, 300))

    def test_any_order_of_starts(self):
        ctr = Ctr(KEY)
        for start in (0, 1, 2, 1, 1, 40, 3, 0, 15, 16, 17):
            self.assertEqual(ctr.crypt(start, bytes(50)), key_stream(start, 50))

    def test_twice_is_nothing(self):
        data = bytes(range(256)) * 2
        self.assertEqual(Ctr(KEY).crypt(7, Ctr(KEY).crypt(7, data)), data)

    def test_leading_zeros_stay(self):
        stream = key_stream(3, 64)
        self.assertEqual(Ctr(KEY).crypt(3, stream), bytes(64))

    def test_no_block_of_two_records_is_the_same(self):
        ctr = Ctr(KEY)
        seen = set()
        for start in range(30):
            stream = ctr.crypt(start, bytes(160))
            seen.update([beginning(stream[at:]) for at in range(0, 160, 16)])
        self.assertEqual(len(seen), 300)
