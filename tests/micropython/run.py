"""Run portable tests: `micropython run.py MODULE ...`, or with python; exits with 1 on a failure or no test."""

import sys
import unittest


def main(names):
    if hasattr(unittest, "run_modules"):
        result = unittest.run_modules(names)
        return result.failed == 0 and result.passed + result.skipped > 0
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(names))
    return result.wasSuccessful() and result.testsRun > 0


sys.exit(0 if main(sys.argv[1:]) else 1)
