"""Names of events: their parts, and where they go."""

import unittest

from eventhive.core.names import is_remote, local_name, split_name


class SplitTest(unittest.TestCase):
    def test_the_number_of_parts_is_the_routing(self):
        self.assertEqual(split_name("tick"), (None, None, "tick"))
        self.assertEqual(split_name("queen/temperature"), (None, "queen", "temperature"))
        self.assertEqual(split_name("my-hive/queen/temperature"), ("my-hive", "queen", "temperature"))

    def test_what_follows_the_second_separator_belongs_to_the_event(self):
        self.assertEqual(split_name("a/b/c/d/e"), ("a", "b", "c/d/e"))

    def test_only_three_parts_and_more_are_remote(self):
        self.assertFalse(is_remote("tick"))
        self.assertFalse(is_remote("queen/temperature"))
        self.assertTrue(is_remote("my-hive/queen/temperature"))
        self.assertTrue(is_remote("my-hive/queen/room/temperature"))

    def test_the_local_name_has_no_network(self):
        self.assertEqual(local_name("my-hive/queen/temperature"), "queen/temperature")
        self.assertEqual(local_name("my-hive/queen/room/temperature"), "queen/room/temperature")
