"""Ids of devices and of streams."""

import unittest

from eventhive.core.ids import MAX_ID_CHARS, is_id, is_stream


class IdTest(unittest.TestCase):
    def test_letters_digits_dash_and_underscore(self):
        for text in ("a", "Z", "0", "-", "_", "sensor-1", "Attic_2", "x" * MAX_ID_CHARS):
            with self.subTest(text=text):
                self.assertTrue(is_id(text))

    def test_a_length(self):
        self.assertFalse(is_id(""))
        self.assertFalse(is_id("x" * (MAX_ID_CHARS + 1)))

    def test_no_other_character_wherever_it_stands(self):
        # What means something in a name, a glob, a path or a log line, and what only looks like 'A' and '1'.
        for other in (" ", "/", "*", "?", ".", "\\", "\n", "\r", "\0", "\x1b", "\x7f", ":", "ä", "\u0410", "\uff11"):
            for text in (other, other + "a", "a" + other, "a" + other + "b"):
                with self.subTest(text=text):
                    self.assertFalse(is_id(text))

    def test_a_string(self):
        for value in (None, True, 1, b"sensor-1", ["a"], ("a",), {"a": 1}):
            with self.subTest(value=value):
                self.assertFalse(is_id(value))


class StreamTest(unittest.TestCase):
    def test_sixteen_lower_case_hex_digits(self):
        self.assertTrue(is_stream("00000000000000ff"))
        for value in ("", "00000000000000f", "0000000000000ffff", "00000000000000fg", "00000000000000FF", 0, None):
            with self.subTest(value=value):
                self.assertFalse(is_stream(value))
