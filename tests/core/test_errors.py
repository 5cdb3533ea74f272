"""The tree of errors: who has to act decides the branch."""

import unittest

from eventhive.core.errors import EventHiveError, LimitError, LocalError, PeerError


class ErrorsTest(unittest.TestCase):
    def test_one_base_for_what_is_raised_on_purpose(self):
        for kind in (LocalError, LimitError, PeerError):
            with self.assertRaises(EventHiveError):
                raise kind("why")
        self.assertTrue(issubclass(EventHiveError, Exception))

    def test_this_program_or_the_other_end(self):
        self.assertFalse(issubclass(LocalError, PeerError))
        self.assertFalse(issubclass(PeerError, LocalError))

    def test_what_is_full_is_a_fault_of_this_program(self):
        self.assertTrue(issubclass(LimitError, LocalError))

    def test_the_text_is_what_was_said(self):
        self.assertEqual(str(PeerError("record 3 is not authentic")), "record 3 is not authentic")
