"""Runs the portable tests on real MicroPython, in the tree that a board gets, with the heap of a small board.

Plain pytest runs the files of tests/core on CPython as well; those of tests/micro test the device package, which there
is no place for beside the host's: they run on CPython in a tree of sources.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tree import TESTS, TIMEOUT_S, Tree, add_gateway_modules, build

from eventhive.device.stage import stage
from eventhive.device.tools import micropython

# Every test file that runs on both interpreters.
PORTABLE = (
    "core/test_aes.py",
    "core/test_backoff.py",
    "core/test_clear.py",
    "core/test_envelope.py",
    "core/test_errors.py",
    "core/test_framing.py",
    "core/test_gateway_session.py",
    "core/test_globs.py",
    "core/test_greet.py",
    "core/test_ids.py",
    "core/test_incoming.py",
    "core/test_keys.py",
    "core/test_mac.py",
    "core/test_mark.py",
    "core/test_marks.py",
    "core/test_names.py",
    "core/test_opening.py",
    "core/test_outcomes.py",
    "core/test_pump.py",
    "core/test_reconnects.py",
    "core/test_refusals.py",
    "core/test_registry.py",
    "core/test_requests.py",
    "core/test_ring.py",
    "core/test_seal.py",
    "core/test_segment.py",
    "core/test_session.py",
    "core/test_session_sending.py",
    "core/test_spelling.py",
    "core/test_unkeyed.py",
    "core/test_vectors.py",
    "core/test_welcome.py",
    "micro/test_settings.py",
    "micro/test_spill.py",
)

# Tests of what CPython alone loads.
HOST_ONLY = ("core/test_aes_host.py", "core/test_json_host.py")

needs_micropython = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The compiled tree with the tests beside it, once for all files."""
    return build(tmp_path_factory.mktemp("micropython"), PORTABLE)


def check(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"


@needs_micropython
@pytest.mark.parametrize("test", PORTABLE)
def test_on_micropython(tree: Tree, test: str) -> None:
    check(tree.run(test))


@needs_micropython
@pytest.mark.parametrize("test", PORTABLE)
def test_on_micropython_with_ucryptolib(tree: Tree, test: str) -> None:
    check(tree.run(test, hide_cryptolib=True))


BROKEN = """
import unittest

class BrokenTest(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(1, 2)
    def test_error(self):
        {}["nothing"]
    def test_not_raised(self):
        with self.assertRaises(ValueError):
            pass
    def test_other_raised(self):
        with self.assertRaises(ValueError):
            raise KeyError("other")
    def test_subtest(self):
        for n in (1, 2):
            with self.subTest(n=n):
                self.assertTrue(n == 1)
    def test_good(self):
        self.assertIn(1, [1])
    @unittest.skip("as asked")
    def test_skipped(self):
        self.fail()
"""


@needs_micropython
def test_a_failure_is_seen(tree: Tree) -> None:
    (tree.root / "tests" / "test_broken.py").write_text(BROKEN)
    done = tree.run("test_broken.py")
    assert done.returncode == 1
    failed = {line.split()[1].rpartition(".")[2] for line in done.stdout.splitlines() if line.startswith("FAIL")}
    assert failed == {"test_equal", "test_error", "test_not_raised", "test_other_raised", "test_subtest"}
    assert done.stdout.splitlines()[-1] == "1 passed, 5 failed, 1 skipped"


@needs_micropython
def test_no_test_is_a_failure(tree: Tree) -> None:
    (tree.root / "tests" / "test_empty.py").write_text("import unittest\n")
    assert tree.run("test_empty.py").returncode == 1


@needs_micropython
def test_hidden_means_hidden(tree: Tree) -> None:
    code = "import ucryptolib\ntry:\n import cryptolib\nexcept ImportError:\n print('hidden')"
    command = [*(micropython() or ()), "-c", code]
    environment = {**os.environ, "MICROPYPATH": tree.path(PORTABLE[0], hide_cryptolib=True)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.stdout == "hidden\n"


@pytest.mark.parametrize("test", [test for test in PORTABLE if test.startswith("micro/")])
def test_on_cpython(tmp_path: Path, test: str) -> None:
    stage(tmp_path / "board")
    add_gateway_modules(tmp_path / "board")
    folders = [TESTS / Path(test).parent, TESTS / "micropython/lib", tmp_path / "board"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, str(TESTS / "micropython/run.py"), Path(test).stem]
    check(
        subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S)
    )


def test_every_file_is_listed() -> None:
    found = [*TESTS.glob("core/*.py"), *TESTS.glob("micro/*.py")]
    assert {path.relative_to(TESTS).as_posix() for path in found} == {*PORTABLE, *HOST_ONLY}
