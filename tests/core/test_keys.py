"""Keys of a session: everything that was said in clear is in them. The vectors are in test_vectors.py."""

import unittest

from ends import KEY, beginning, flipped

from eventhive.core.keys import KEY_BYTES, link_mac, session_keys
from eventhive.core.mac import Mac

CHALLENGE = bytes(range(22))
HELLO = bytes(range(50, 93))


class KeysTest(unittest.TestCase):
    def keys(self, challenge=CHALLENGE, hello=HELLO, key=KEY):
        return session_keys(link_mac(key), challenge, hello)

    def test_two_directions_of_two_keys_each(self):
        up, down = self.keys()
        self.assertEqual((len(up), len(down)), (KEY_BYTES, KEY_BYTES))
        self.assertEqual(len({up[:16], up[16:], down[:16], down[16:], KEY[:16], KEY[16:]}), 6)

    def test_the_same_exchange_gives_the_same_keys(self):
        self.assertEqual(self.keys(), self.keys())

    def all_differ(self, exchanges):
        """Each of these (challenge, hello, device key) leads to two keys that no other one leads to."""
        seen = set()
        count = 0
        for challenge, hello, key in exchanges:
            seen.update([beginning(found) for found in self.keys(challenge, hello, key)])
            count += 2
        self.assertEqual(len(seen), count)

    def test_every_bit_gives_others(self):
        self.all_differ((flipped(CHALLENGE, bit), HELLO, KEY) for bit in range(8 * len(CHALLENGE)))
        self.all_differ((CHALLENGE, flipped(HELLO, bit), KEY) for bit in range(8 * len(HELLO)))
        self.all_differ((CHALLENGE, HELLO, flipped(KEY, bit)) for bit in range(8 * len(KEY)))

    def test_no_byte_moves_from_one_frame_to_the_other(self):
        both = CHALLENGE + HELLO
        self.all_differ((both[:at], both[at:], KEY) for at in range(len(both) + 1))

    def test_the_frames_do_not_change_places(self):
        self.assertNotEqual(self.keys(CHALLENGE, HELLO), self.keys(HELLO, CHALLENGE))

    def test_the_key_of_the_device_is_not_the_key_of_the_link(self):
        self.assertNotEqual(link_mac(KEY).digest(b"x"), Mac(KEY).digest(b"x"))
