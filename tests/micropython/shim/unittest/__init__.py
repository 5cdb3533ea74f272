"""The part of CPython's `unittest` that the portable tests use, for MicroPython. Never goes on a board.

One line for each test, and a count at the end. Rules for portable tests that follow from it: no class fixtures, no
asynchronous test methods (call `asyncio.run`), skip decorators on methods only.
"""

import gc
import re
import sys


class SkipTest(Exception):
    """Raised by a test that cannot run here; its text is the reason."""


class TestCase:
    """Holds the tests of a class: its methods whose names begin with `test`."""

    failureException = AssertionError

    def __init__(self):
        self.failed_subtests = []

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def skipTest(self, reason):
        raise SkipTest(reason)

    def subTest(self, msg=None, **params):
        return _SubTest(self, msg, params)

    def fail(self, msg=None):
        raise AssertionError(msg)

    def assertTrue(self, value, msg=None):
        self._check(value, msg, "%r is not true", value)

    def assertFalse(self, value, msg=None):
        self._check(not value, msg, "%r is not false", value)

    def assertEqual(self, first, second, msg=None):
        self._check(first == second, msg, "%r != %r", first, second)

    def assertNotEqual(self, first, second, msg=None):
        self._check(first != second, msg, "%r == %r", first, second)

    def assertAlmostEqual(self, first, second, places=7, msg=None):
        self._check(round(abs(first - second), places) == 0, msg, "%r !~ %r", first, second)

    def assertIs(self, first, second, msg=None):
        self._check(first is second, msg, "%r is not %r", first, second)

    def assertIsNot(self, first, second, msg=None):
        self._check(first is not second, msg, "%r is %r", first, second)

    def assertIsNone(self, value, msg=None):
        self._check(value is None, msg, "%r is not None", value)

    def assertIsNotNone(self, value, msg=None):
        self._check(value is not None, msg, "%r is None", value)

    def assertIn(self, member, container, msg=None):
        self._check(member in container, msg, "%r is not in %r", member, container)

    def assertNotIn(self, member, container, msg=None):
        self._check(member not in container, msg, "%r is in %r", member, container)

    def assertIsInstance(self, value, kind, msg=None):
        self._check(isinstance(value, kind), msg, "%r is no %r", value, kind)

    def assertNotIsInstance(self, value, kind, msg=None):
        self._check(not isinstance(value, kind), msg, "%r is a %r", value, kind)

    def assertGreater(self, first, second, msg=None):
        self._check(first > second, msg, "%r is not > %r", first, second)

    def assertGreaterEqual(self, first, second, msg=None):
        self._check(first >= second, msg, "%r is not >= %r", first, second)

    def assertLess(self, first, second, msg=None):
        self._check(first < second, msg, "%r is not < %r", first, second)

    def assertLessEqual(self, first, second, msg=None):
        self._check(first <= second, msg, "%r is not <= %r", first, second)

    def assertRaises(self, kind, function=None, *args, **kwargs):
        return self._raises(_Raises(kind, None), function, args, kwargs)

    def assertRaisesRegex(self, kind, pattern, function=None, *args, **kwargs):
        return self._raises(_Raises(kind, pattern), function, args, kwargs)

    def _raises(self, context, function, args, kwargs):
        if function is None:
            return context
        with context:
            function(*args, **kwargs)

    def _check(self, holds, msg, text, *values):
        if not holds:
            text = text % tuple(values)
            raise AssertionError("%s: %s" % (text, msg) if msg is not None else text)


class _Raises:
    def __init__(self, kind, pattern):
        self.exception = None
        self._kind = kind
        self._pattern = pattern

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            raise AssertionError("%r was not raised" % (self._kind,))
        if not isinstance(error, self._kind):
            return False
        if self._pattern and not re.search(self._pattern, str(error)):
            raise AssertionError("%r does not match %r" % (str(error), self._pattern))
        self.exception = error
        return True


class _SubTest:
    def __init__(self, case, msg, params):
        self._case = case
        self._label = "%s %s" % (msg or "", params)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None or isinstance(error, SkipTest) or not isinstance(error, Exception):
            return False
        self._case.failed_subtests.append((self._label, error))
        return True


def skip(reason):
    """Decorator: do not run this test."""

    def decorate(method):
        return lambda self: self.skipTest(reason)

    return decorate


def skipIf(condition, reason):
    """Decorator: do not run this test when the condition holds."""
    return skip(reason) if condition else _keep


def skipUnless(condition, reason):
    """Decorator: do not run this test unless the condition holds."""
    return _keep if condition else skip(reason)


def _keep(method):
    return method


class Result:
    """Counts of a run."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0


def run_modules(names):
    """Run the tests of these modules; returns the `Result`."""
    result = Result()
    for name in names:
        module = __import__(name)
        for class_name in sorted(dir(module)):
            kind = getattr(module, class_name)
            if isinstance(kind, type) and issubclass(kind, TestCase) and kind is not TestCase:
                for method in sorted(dir(kind)):
                    if method.startswith("test"):
                        _run_one(kind, method, "%s.%s.%s" % (name, class_name, method), result)
    print("%d passed, %d failed, %d skipped" % (result.passed, result.failed, result.skipped))
    return result


def _run_one(kind, method, label, result):
    # What one test leaves behind must not cut the small heap of the next into pieces.
    gc.collect()
    case = kind()
    try:
        case.setUp()
        try:
            getattr(case, method)()
        finally:
            case.tearDown()
    except SkipTest as reason:
        result.skipped += 1
        print("skip", label, reason)
        return
    except Exception as error:
        case.failed_subtests.append(("", error))
    if not case.failed_subtests:
        result.passed += 1
        print("ok", label)
        return
    result.failed += 1
    for params, error in case.failed_subtests:
        print("FAIL", label, params)
        sys.print_exception(error)
