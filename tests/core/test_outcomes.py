"""How requests end: statuses and errors, each of the other."""

import unittest

from eventhive.core.outcomes import (
    NOBODY,
    VALUE,
    NobodyHooks,
    RemoteError,
    RequestError,
    RequestTimeout,
    failure,
    status_of,
)

NAME = "net/queen/t"


class ErrorTest(unittest.TestCase):
    def test_both_ways(self):
        for error in (NobodyHooks, RemoteError, RequestError):
            one = failure(NAME, status_of(error("x")), "why")
            self.assertIs(type(one), error)
            self.assertEqual(str(one), "net/queen/t: why")
        self.assertIs(type(failure(NAME, status_of(RequestTimeout("x")), "late")), RequestError)
        self.assertIs(type(failure(NAME, 99, None)), RequestError)
        self.assertEqual(status_of(None), VALUE)

    def test_a_name_is_not_said_twice(self):
        self.assertEqual(str(failure(NAME, NOBODY, "net/queen/t: none")), "net/queen/t: none")
