"""HMAC-SHA256 and comparison; the vectors of RFC 4231 are in test_vectors.py."""

import unittest
from hashlib import sha256

from ends import beginning, flipped

from eventhive.core.mac import Mac, equal


class MacTest(unittest.TestCase):
    def test_only_the_joined_bytes_count(self):
        mac = Mac(b"key")
        data = bytes(range(200))
        for at in (0, 1, 63, 64, 65, 127, 128, 200):
            with self.subTest(at=at):
                self.assertEqual(mac.digest(data[:at], data[at:]), mac.digest(data))

    def test_a_prepared_key_is_used_again_and_again(self):
        mac = Mac(b"key")
        first = mac.digest(b"one")
        self.assertNotEqual(mac.digest(b"two"), first)
        self.assertEqual(mac.digest(b"one"), first)

    def test_a_key_longer_than_a_block_is_its_hash(self):
        for size in (65, 100, 1000):
            key = bytes([size & 255]) * size
            self.assertEqual(Mac(key).digest(b"data"), Mac(sha256(key).digest()).digest(b"data"))
        self.assertNotEqual(Mac(b"k" * 64).digest(b""), Mac(sha256(b"k" * 64).digest()).digest(b""))

    def test_a_shorter_key_is_filled_with_zeros(self):
        self.assertEqual(Mac(b"key").digest(b""), Mac(b"key" + bytes(61)).digest(b""))
        self.assertEqual(Mac(b"").digest(b"x"), Mac(bytes(64)).digest(b"x"))

    def test_every_bit_of_key_and_data_counts(self):
        key, data = bytes(range(32)), bytes(range(20))
        seen = {beginning(Mac(key).digest(data))}
        for bit in range(8 * len(key)):
            seen.add(beginning(Mac(flipped(key, bit)).digest(data)))
        for bit in range(8 * len(data)):
            seen.add(beginning(Mac(key).digest(flipped(data, bit))))
        self.assertEqual(len(seen), 1 + 8 * (len(key) + len(data)))


class EqualTest(unittest.TestCase):
    def test_the_same_bytes(self):
        for data in (b"", b"\0", b"\xff", bytes(16), b"\xff" * 16, bytes(range(32))):
            self.assertTrue(equal(data, data))

    def test_one_bit(self):
        for data in (bytes(16), b"\xff" * 16, bytes(range(16))):
            for bit in range(128):
                self.assertFalse(equal(data, flipped(data, bit)))

    def test_every_prefix_and_suffix(self):
        for data in (bytes(16), bytes(range(16))):
            for size in range(16):
                self.assertFalse(equal(data, data[:size]))
                self.assertFalse(equal(data[:size], data))
                self.assertFalse(equal(data, data[-size:] if size else b""))
            self.assertFalse(equal(data, data + b"\0"))
            self.assertFalse(equal(data, b"\0" + data))

    def test_a_difference_of_any_bytes(self):
        for left in (0, 1, 127, 128, 255):
            for right in range(256):
                self.assertEqual(equal(bytes([9, left]), bytes([9, right])), left == right)
