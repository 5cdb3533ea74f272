"""Spelling of event names: what one may be, and what is a pattern."""

import unittest

from eventhive.core.errors import EventHiveError, LocalError
from eventhive.core.names import SEPARATOR
from eventhive.core.spelling import MAX_NAME_BYTES, check_name, is_glob


class CheckTest(unittest.TestCase):
    def test_a_good_name_is_returned(self):
        for name in ("a", "a/b", "a/b/c", "a/b/c/d", "Größe/°C", "-_.:", "x" * MAX_NAME_BYTES):
            self.assertEqual(check_name(name), name)

    def test_a_name_is_a_string(self):
        for name in (None, 1, b"a", ["a"], True):
            with self.subTest(name=name):
                self.refuses(name, "must be a string")

    def test_a_name_has_a_length(self):
        self.refuses("", "1 to %d bytes" % MAX_NAME_BYTES)
        self.refuses("x" * (MAX_NAME_BYTES + 1), "1 to %d bytes" % MAX_NAME_BYTES)
        # Bytes count, not characters: the limit is about the line they travel on.
        self.refuses("°" * (MAX_NAME_BYTES // 2 + 1), "1 to %d bytes" % MAX_NAME_BYTES)

    def test_a_long_name_is_not_repeated_in_full(self):
        with self.assertRaises(LocalError) as caught:
            check_name("x" * 5000)
        self.assertLess(len(str(caught.exception)), 200)

    def test_a_name_that_fills_the_heap_is_not_copied(self):
        long = "x" * 100000
        for name in (long, long.encode()):
            self.refuses(name, "must be a string")

    def test_no_character_that_means_something_elsewhere(self):
        for character in (" ", "\n", "\r", "\t", "\0", "\x1b", "\x7f", "*", "?"):
            with self.subTest(character=character):
                self.refuses("a/b%sc" % character, "no space, control character")

    def test_no_half_of_a_surrogate_pair(self):
        # Some readers of JSON let it pass, and then it has no bytes.
        for half in (0xD800, 0xDBFF, 0xDC00, 0xDFFF):
            self.refuses("a/b/" + chr(half), "no space, control character")
        for character in (0xD7FF, 0xE000, 0x1F41D):
            check_name("a/b/" + chr(character))

    def test_no_empty_part(self):
        for name in (SEPARATOR, "/a", "a/", "a//b", "a/b/"):
            with self.subTest(name=name):
                self.refuses(name, "no empty part")

    def test_a_bad_name_is_a_local_error(self):
        with self.assertRaises(EventHiveError):
            check_name("")

    def refuses(self, name, why):
        with self.assertRaises(LocalError) as caught:
            check_name(name)
        self.assertIn(why, str(caught.exception))


class GlobTest(unittest.TestCase):
    def test_what_a_glob_is(self):
        self.assertTrue(is_glob("a/*"))
        self.assertTrue(is_glob("a?c"))
        self.assertFalse(is_glob("a/b"))
        self.assertFalse(is_glob("[a]"))
