"""What a person reads when a gateway refuses."""

import unittest

from eventhive.core.refusals import (
    REFUSE_ATTEMPT,
    REFUSE_BUSY,
    REFUSE_KEY,
    REFUSE_UNKEYED,
    REFUSE_VERSION,
    refusal_text,
)


class RefusalTest(unittest.TestCase):
    def test_each_reason_says_what_to_do(self):
        for reason, word in (
            (REFUSE_VERSION, "update"),
            (REFUSE_KEY, "key file"),
            (REFUSE_UNKEYED, "eventhive device add"),
            (REFUSE_BUSY, "again"),
            (REFUSE_ATTEMPT, "second board"),
        ):
            with self.subTest(reason=reason):
                self.assertIn(word, refusal_text(reason))

    def test_an_unknown_id_and_a_wrong_key_have_one_text(self):
        self.assertIn("unknown id, or wrong key", refusal_text(REFUSE_KEY))

    def test_a_reason_of_a_later_version_is_named_by_its_number(self):
        for reason in (0, 6, 255):
            with self.subTest(reason=reason):
                self.assertIn("reason %d" % reason, refusal_text(reason))
