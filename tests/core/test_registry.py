"""Events and hooks: order, globs, isolation, context, what leaves the process."""

import unittest

from eventhive.core.errors import LocalError
from eventhive.core.registry import EventList


class Boom(Exception):
    pass


class RegistryTest(unittest.TestCase):
    def setUp(self):
        self.sent = []
        self.ran = []
        self.failures = []
        self.events = EventList(self.outlet)

    def outlet(self, name, data):
        self.sent.append((name, data))
        return "queued"

    def failed(self, event, function, error):
        self.failures.append((event, function, error))

    def recorder(self, label):
        def record(data=None):
            self.ran.append((label, data))
            return label

        return record

    def fails(self, data=None):
        raise Boom("as asked")


class DeclareTest(RegistryTest):
    def test_append_declares(self):
        self.assertEqual(len(self.events), 0)
        self.events.append("a/b")
        self.events.append(["c", "d/e"])
        self.events.append(("f",))
        self.assertEqual(self.events.match(), ["a/b", "c", "d/e", "f"])
        self.assertEqual(self.events.match("?/*"), ["a/b", "d/e"])
        self.assertEqual(len(self.events), 4)

    def test_declaring_again_keeps_the_hooks(self):
        self.events.hook(self.recorder("one"), "a")
        self.events.append("a", help="about a")
        self.events.append(["a", "b"])
        self.events.call("a", 1)
        self.assertEqual(self.ran, [("one", 1)])

    def test_hooking_again_keeps_earlier_hooks(self):
        self.events.hook(self.recorder("one"), ["a", "b"])
        self.events.hook(self.recorder("two"), ["a", "b"])
        for name in ("a", "b"):
            self.ran = []
            self.events.call(name, 1)
            self.assertEqual(self.ran, [("one", 1), ("two", 1)])

    def test_bad_names_are_refused(self):
        for name in ("", "a//b", "a b", None):
            with self.subTest(name=name), self.assertRaises(LocalError):
                self.events.append(name)
        self.assertEqual(len(self.events), 0)

    def test_a_new_event_is_told_once(self):
        told = []
        self.events.declared = told.append
        self.events.append(["a", "b"])
        self.events.hook(self.recorder("x"), ["b", "c"])
        self.events.append("a")
        self.assertEqual(told, ["a", "b", "c"])

    def test_an_undeclared_event_is_a_key_error_that_names_it(self):
        with self.assertRaises(KeyError) as caught:
            self.events["nowhere"]
        self.assertIn("nowhere", str(caught.exception))

    def test_clear_forgets_all(self):
        self.events.hook(self.recorder("x"), "a")
        self.events.clear()
        self.assertEqual(len(self.events), 0)
        self.assertEqual(self.events.call("a"), {})


class HookTest(RegistryTest):
    def hooked(self):
        """The declared events that have a hook."""
        return [name for name in self.events.match() if self.events.call(name, expand=False)]

    def test_a_hook_declares_its_event(self):
        self.events.hook(self.recorder("x"), "a/b")
        self.assertEqual(self.hooked(), ["a/b"])

    def test_a_glob_hooks_what_is_declared(self):
        self.events.append(["a/b", "a/c", "d"])
        self.events.hook(self.recorder("star"), "a/*")
        self.assertEqual(self.hooked(), ["a/b", "a/c"])

    def test_without_an_event_all_declared_ones(self):
        self.events.append(["a", "b/c"])
        self.events.hook(self.recorder("star"))
        self.events.append("later")
        self.assertEqual(self.hooked(), ["a", "b/c"])

    def test_a_glob_without_expansion_is_no_event_name(self):
        with self.assertRaises(LocalError):
            self.events.hook(self.recorder("x"), "a/*", expand=False)

    def test_a_name_without_expansion(self):
        self.events.hook(self.recorder("one"), "a/b", expand=False)
        self.assertEqual(self.hooked(), ["a/b"])

    def test_a_list_of_names_and_globs(self):
        self.events.append(["a/b", "a/c"])
        self.events.hook(self.recorder("one"), ["x", "a/?"])
        self.assertEqual(self.hooked(), ["a/b", "a/c", "x"])


class CallTest(RegistryTest):
    def test_hooks_run_in_their_order_and_answer(self):
        one, two = self.recorder("one"), self.recorder("two")
        self.events.hook(one, "a")
        self.events.hook(two, "a")
        self.assertEqual(self.events.call("a", 5), {"a": {one: "one", two: "two"}})
        self.assertEqual(self.ran, [("one", 5), ("two", 5)])

    def test_an_event_without_hooks(self):
        self.events.append("a")
        self.assertEqual(self.events.call("a"), {"a": {}})

    def test_an_event_that_is_declared_nowhere(self):
        self.assertEqual(self.events.call("a"), {})
        self.assertEqual(self.events.call("a/b"), {})
        self.assertEqual(self.events.call("a/*"), {})
        self.assertEqual(len(self.events), 0)

    def test_a_glob_calls_all_that_match(self):
        one = self.recorder("one")
        self.events.hook(one, ["a/b", "a/c", "d"])
        self.assertEqual(self.events.call("a/*", 1), {"a/b": {one: "one"}, "a/c": {one: "one"}})
        self.assertEqual(len(self.ran), 2)

    def test_without_expansion_one_event_and_its_answers(self):
        one = self.recorder("one")
        self.events.hook(one, "a")
        self.assertEqual(self.events.call("a", 1, expand=False), {one: "one"})
        with self.assertRaises(KeyError):
            self.events.call("*", 1, expand=False)
        with self.assertRaises(KeyError):
            self.events.call("nowhere", 1, expand=False)

    def test_any_arguments_stay_inside_the_process(self):
        seen = []

        def take(*args, **kwargs):
            seen.append((args, kwargs))

        self.events.hook(take, "a/b")
        self.events.call("a/b", 1, 2, c=3)
        self.events["a/b"]("text")
        self.assertEqual(seen, [((1, 2), {"c": 3}), (("text",), {})])

    def test_an_exception_reaches_the_caller(self):
        later = self.recorder("later")
        self.events.hook(self.fails, "a")
        self.events.hook(later, "a")
        with self.assertRaises(Boom):
            self.events.call("a")
        self.assertEqual(self.ran, [])

    def test_a_hook_may_hook_its_own_event(self):
        other = self.recorder("other")

        def grow(data):
            self.events.hook(other, "b")
            self.events.call("b", data)

        self.events.hook(grow, "a")
        self.events.call("a", 1)
        self.assertEqual(self.ran, [("other", 1)])


class RemoteTest(RegistryTest):
    def test_a_remote_event_leaves_and_answers_under_its_network(self):
        self.assertEqual(self.events.call("hive/queen/t", {"c": 1}), {"hive/queen/t": {"hive": "queued"}})
        self.assertEqual(self.sent, [("hive/queen/t", {"c": 1})])

    def test_no_data_travels_as_none(self):
        self.events.call("hive/queen/t")
        self.assertEqual(self.sent, [("hive/queen/t", None)])

    def test_hooks_of_a_remote_event_run_here_as_well(self):
        one = self.recorder("one")
        self.events.hook(one, "hive/queen/t")
        self.assertEqual(self.events.call("hive/queen/t", 7), {"hive/queen/t": {one: "one", "hive": "queued"}})
        self.assertEqual(self.ran, [("one", 7)])

    def test_local_events_never_leave(self):
        self.events.hook(self.recorder("x"), ["tick", "queen/t"])
        self.events.call("*", 1)
        self.assertEqual(self.sent, [])

    def test_a_glob_calls_only_declared_remote_events(self):
        self.events.append("hive/queen/t")
        self.events.call("other/queen/*", 1)
        self.assertEqual(self.sent, [])
        self.events.call("hive/*", 1)
        self.assertEqual(self.sent, [("hive/queen/t", 1)])

    def test_one_argument_travels(self):
        with self.assertRaises(LocalError) as caught:
            self.events.call("hive/queen/t", 1, 2)
        self.assertIn("hive/queen/t", str(caught.exception))
        with self.assertRaises(LocalError):
            self.events.call("hive/queen/t", c=1)
        self.assertEqual(self.sent, [])

    def test_a_bad_remote_name_is_refused(self):
        with self.assertRaises(LocalError):
            self.events.call("hive//t", 1)


class DeliverTest(RegistryTest):
    def test_each_hook_stands_alone(self):
        before, after = self.recorder("before"), self.recorder("after")
        for function in (before, self.fails, after):
            self.events.hook(function, "a/b")
        self.assertEqual(self.events.deliver("a/b", 3, self.failed), ["before", None, "after"])
        self.assertEqual(self.ran, [("before", 3), ("after", 3)])
        self.assertEqual(len(self.failures), 1)
        event, _, error = self.failures[0]
        self.assertEqual((event, str(error)), ("a/b", "as asked"))

    def test_an_event_that_nobody_hooks(self):
        self.events.append("a/b")
        self.assertEqual(self.events.deliver("a/b", 1, self.failed), [])
        self.assertEqual(self.events.deliver("a/c", 1, self.failed), [])

    def test_what_is_delivered_does_not_travel_on(self):
        self.events.hook(self.recorder("x"), "hive/queen/t")
        self.events.deliver("hive/queen/t", 1, self.failed)
        self.assertEqual(self.sent, [])

    def test_a_name_from_outside_is_no_glob(self):
        self.events.hook(self.recorder("x"), "a/b")
        self.assertEqual(self.events.deliver("*", 1, self.failed), [])
        self.assertEqual(self.ran, [])


class ContextTest(RegistryTest):
    def setUp(self):
        RegistryTest.setUp(self)
        self.names = []

    def note(self, data=None):
        self.names.append(self.events.context.event)

    def test_no_event_outside_of_hooks(self):
        self.assertIsNone(self.events.context.event)

    def test_a_hook_knows_its_event(self):
        self.events.hook(self.note, ["a", "b"])
        self.events.call("*")
        self.assertEqual(sorted(self.names), ["a", "b"])
        self.assertIsNone(self.events.context.event)

    def test_after_a_nested_call_it_is_the_outer_event_again(self):
        def outer(data):
            self.note()
            self.events.call("inner", data)
            self.note()

        self.events.hook(outer, "outer")
        self.events.hook(self.note, "inner")
        self.events.call("outer", 1)
        self.assertEqual(self.names, ["outer", "inner", "outer"])
        self.assertIsNone(self.events.context.event)

    def test_after_a_failure_there_is_none(self):
        self.events.hook(self.fails, "a")
        with self.assertRaises(Boom):
            self.events.call("a")
        self.assertIsNone(self.events.context.event)
        self.events.deliver("a", 1, self.failed)
        self.assertIsNone(self.events.context.event)

    def test_a_program_gives_its_own_context(self):
        class Mine:
            pass

        self.events = EventList(self.outlet, Mine())
        self.events.hook(self.note, "a")
        self.events.call("a")
        self.assertEqual(self.names, ["a"])
        self.assertIsNone(self.events.context.event)
