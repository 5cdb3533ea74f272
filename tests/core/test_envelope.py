"""Data and messages as JSON, by one rule on both ends; more examples are in test_vectors.py."""

import sys
import unittest

from eventhive.core.envelope import MAX_DEPTH, check_data, dumps, encode, messages
from eventhive.core.errors import LocalError

INFINITE = float("inf")


def nested(levels, inner=None, as_dict=False):
    """`inner` in so many arrays, or objects."""
    value = inner
    for _ in range(levels):
        value = {"a": value} if as_dict else [value]
    return value


class Text(str):
    pass


class DataTest(unittest.TestCase):
    def refused(self, value, *words):
        for place in (value, [value], {"a": value}, [[], {"a": [1, value]}]):
            with self.assertRaises(LocalError) as caught:
                check_data(place)
            for word in words:
                self.assertIn(word, str(caught.exception))
            with self.assertRaises(LocalError):
                encode(place)

    def test_json(self):
        for value in (None, True, False, 0, -1, 1 << 80, 0.5, -1e30, "", "text", [], {}, [1, [2]], {"": {"a": []}}):
            with self.subTest(value=value):
                check_data(value)
                self.assertEqual(messages(b"[2,1," + encode(value) + b"]")[0][2], value)

    def test_tuples_travel_as_arrays(self):
        self.assertEqual(encode({"a": (1, (2,), ())}), b'{"a":[1,[2],[]]}')

    def test_numbers_that_have_no_json(self):
        for value in (INFINITE, -INFINITE, INFINITE - INFINITE):
            self.refused(value, "has no JSON form")

    def test_what_a_board_would_write_as_something_else(self):
        for value in (b"bytes", bytearray(b"ab"), {1, 2}, object(), Text("a"), range(3), 1j):
            self.refused(value, type(value).__name__, "is not JSON")

    def test_keys_are_strings(self):
        for key in (1, None, True, 0.5, b"a", (1, 2)):
            self.refused({key: 1}, repr(key), "is not a string")

    def test_levels(self):
        for as_dict in (False, True):
            for inner in (None, 1, "text", 0.5):
                check_data(nested(MAX_DEPTH, inner, as_dict))
                with self.assertRaises(LocalError) as caught:
                    check_data(nested(MAX_DEPTH + 1, inner, as_dict))
                self.assertIn("deeper than %d levels" % MAX_DEPTH, str(caught.exception))

    def test_what_contains_itself_is_too_deep(self):
        value = []
        value.append(value)
        with self.assertRaises(LocalError):
            check_data(value)
        with self.assertRaises(LocalError):
            encode({"a": value})

    def test_a_number_a_level_too_deep_is_not_looked_at_first(self):
        with self.assertRaises(LocalError) as caught:
            check_data(nested(MAX_DEPTH + 1, INFINITE))
        self.assertIn("deeper", str(caught.exception))


class EncodeTest(unittest.TestCase):
    def test_compact_utf_8(self):
        self.assertEqual(encode(["a", {"ö": 1.5}, None, True]), '["a",{"ö":1.5},null,true]'.encode())
        self.assertEqual(encode((1, 2)), b"[1,2]")

    def test_characters_that_must_be_escaped(self):
        for character in ('"', "\\", "\n", "\0", "\x1f"):
            with self.subTest(character=character):
                data = encode("a%sb" % character)
                self.assertNotIn(b"\n", data)
                self.assertEqual(messages(b"[2,1,%s]" % data)[0][2], "a%sb" % character)

    def test_characters_next_to_surrogates(self):
        # U+D7FF, U+E000 and U+FFFD share the first byte, or the next one, with a surrogate half.
        for character in (0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xED00, 0xFFFD, 0x10000, 0x1F41D, 0x10FFFF):
            text = "a" + chr(character) + "b"
            self.assertEqual(messages(b"[2,1," + encode(text) + b"]")[0][2], text)

    def test_half_a_surrogate_pair_is_refused(self):
        for half in (0xD800, 0xDBFF, 0xDC00, 0xDFFF):
            for text in (chr(half), "a" + chr(half), chr(0xD000) + chr(half) + "b"):
                for value in (text, [text], {text: 1}, {"a": text}):
                    with self.assertRaises(LocalError) as caught:
                        encode(value)
                    self.assertIn("surrogate", str(caught.exception))

    def test_dumps_is_compact(self):
        self.assertEqual(dumps([1, {"a": None}]), '[1,{"a":null}]')


class MessagesTest(unittest.TestCase):
    def test_one_or_several(self):
        self.assertEqual(messages(b"[3,8]"), [[3, 8]])
        self.assertEqual(messages(b"[[3,8]]"), [[3, 8]])
        self.assertEqual(messages(b'[[4,"s",1],[2,"a/b/c",[]]]'), [[4, "s", 1], [2, "a/b/c", []]])

    def test_white_space_is_taken(self):
        self.assertEqual(messages(b" [ [3, 8] ,\n[5,0]]\r\n"), [[3, 8], [5, 0]])

    def test_every_prefix_is_none(self):
        for text in (b"[3,8]", b'[[2,"a/b/c",{"c":[21.5,"\xc2\xb0",null]}],[3,8]]'):
            for size in range(len(text)):
                self.assertIsNone(messages(text[:size]), size)
            self.assertIsNotNone(messages(text))

    def test_a_kind_is_an_integer(self):
        for kind in ("true", "false", "null", "2.0", "2e0", '"2"', "[]", "{}", "[2]"):
            with self.subTest(kind=kind):
                self.assertIsNone(messages(b"[%s,1,2]" % kind.encode()))
                self.assertIsNone(messages(b"[[3,8],[%s,1,2]]" % kind.encode()))

    def test_no_utf_8(self):
        for text in (b'[2,1,"\xff"]', b'[2,1,"\xc2"]', b'[2,1,"\xc2"', b"\xfe\xff\x00["):
            with self.subTest(text=text):
                self.assertIsNone(messages(text))

    def deep(self, levels, opening, closing):
        found = messages(opening * levels + closing * levels)
        if found:
            with self.assertRaises(LocalError):
                check_data(found)

    def test_what_is_too_deep_is_no_exception(self):
        for levels in (20, 100, 170):
            for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b"[", b""), (b"[2,1,", b"]")):
                self.deep(levels, opening, closing)

    @unittest.skipIf(sys.implementation.name == "micropython", "no board takes a message of that length")
    def test_what_is_deeper_than_an_interpreter_can_go(self):
        for levels in (900, 1000, 2000, 100000):
            for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b"[2,1,", b"]")):
                self.deep(levels, opening, closing)
