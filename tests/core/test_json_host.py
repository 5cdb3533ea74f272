"""The JSON of CPython: the results of `json`, at half its price."""

import json
import unittest

from eventhive.core.json_host import dumps, loads


class LoadsTest(unittest.TestCase):
    def test_the_same_values_as_json(self):
        for text in ("1", "-0.5", "null", '"\\u00e9"', "[1,[2]]", '{"a":{"b":[]}}', " [1] ", "\n{}\t", "1e9", "[1, 2]"):
            with self.subTest(text=text):
                self.assertEqual(loads(text), json.loads(text))

    def test_what_is_no_json_is_a_value_error(self):
        for text in ("", " ", "[", "[1", "[1,", "]", "{", '{"a"', '{"a":', "{1:2}", "nul", "1]", "[1]x", '"a', "'a'"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                loads(text)

    def test_too_deep_is_a_runtime_error(self):
        with self.assertRaises(RuntimeError):
            loads("[" * 100000 + "]" * 100000)


class DumpsTest(unittest.TestCase):
    def test_compact_and_in_utf_8(self):
        self.assertEqual(dumps({"a": [1, True, None], "ö": "°🐝"}), '{"a":[1,true,null],"ö":"°🐝"}')
