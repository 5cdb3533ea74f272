"""`run.py`: it finds what is wrong with a parser, says how to replay it, and finds nothing in ours."""

import json
import re
import subprocess
import sys
from pathlib import Path

import catalogue
import pytest
from supervisor import STALL_S
from worker import MEMORY_BYTES, has_atheris

RUN = catalogue.FUZZ / "run.py"

# All targets together, on two processes, beside the second that each process takes to start: a minute in all.
MINUTES = 0.6
JOBS = 2
SEED = 2026

# A worker that hangs, not a slow one, takes longer.
TIMEOUT_S = 300

ENGINES = ["mutator", pytest.param("atheris", marks=pytest.mark.skipif(not has_atheris(), reason="needs atheris"))]

HEAD = "PORTABLE, STREAM, LONGEST, SHARE, ERRORS = False, True, 64, 1, (ValueError,)\n"
SOUND = "def seeds(): return {'seed': b'#abc'}\ndef feed(pieces, seen):\n    seen.append(b''.join(pieces))\n"

# What is wrong with each, and what the finding says.
BROKEN = {
    "undocumented": ("    if b'a' not in seen[0]: raise KeyError('undocumented')\n", "KeyError"),
    "chunky": ("    seen.append(len(pieces))\n", "byte by byte"),
    "greedy": ("    if b'a' not in seen[0]: bytes(1 << 33)\n", "MemoryError"),
    "leaking": ("    globals().setdefault('kept', []).append(b'x' * (1 << 20))\n", "not given back"),
    "recursive": ("    def down(): down()\n    if b'a' not in seen[0]: down()\n", "RecursionError"),
    "dying": ("    import os\n    if b'a' not in seen[0]: os.abort()\n", "the worker ended"),
    "chatty": ("    import logging\n    logging.info('peer says %s', '\\x1b[2J')\n", "control characters"),
}


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(RUN), *words], capture_output=True, text=True, timeout=TIMEOUT_S)


def fuzz_broken(folder: Path, name: str, fault: str, engine: str) -> "subprocess.CompletedProcess[str]":
    (folder / "targets").mkdir()
    (folder / f"targets/{name}.py").write_text(HEAD + SOUND + fault)
    where = ["--targets", str(folder / "targets"), "--corpus", str(folder / "corpus")]
    assert run("--seeds", *where).returncode == 0
    return run("--inputs", "20000", "--engine", engine, "--json", *where)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_parser_is_found(tmp_path: Path, name: str, engine: str) -> None:
    fault, says = BROKEN[name]
    done = fuzz_broken(tmp_path, name, fault, engine)
    assert done.returncode == 1, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["target"] == name
    assert says in finding["what"]
    assert Path(finding["saved"]).read_bytes() == bytes.fromhex(finding["input"])
    assert Path(finding["saved"]).parent == tmp_path / "corpus" / name
    assert finding["replay"] in done.stderr
    if name not in ("dying", "greedy", "leaking"):
        again = run("--target", name, "--hex", finding["input"], "--targets", str(tmp_path / "targets"))
        assert again.returncode == 1
        assert says in again.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sound_parser_gets_all_inputs(tmp_path: Path, engine: str) -> None:
    done = fuzz_broken(tmp_path, "sound", "", engine)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["findings"] == []
    assert report["inputs"] == report["by_target"]["sound"] >= 20000
    assert report["engine"] == engine
    assert report["rss_peak_bytes"] > 1_000_000


WITHOUT_ATHERIS = """
import importlib.util, runpy, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "atheris" else find(name, *more)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_without_atheris_it_says_so_and_goes_on() -> None:
    words = [sys.executable, "-c", WITHOUT_ATHERIS, str(RUN), "--inputs", "500", "--target", "envelope"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("atheris is not installed here")
    assert "engine mutator" in done.stdout
    assert "500 inputs" in done.stdout
    done = subprocess.run([*words, "--engine", "atheris"], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 2
    assert "it is not installed" in done.stderr


def test_the_command_line_is_checked() -> None:
    for words, says in (
        ((), "--minutes N or --inputs N"),
        (("--target", "nothing", "--minutes", "1"), "--target nothing: there is no such target"),
        (("--hex", "00"), "--hex needs one --target"),
        (("--target", "envelope", "--hex", "0"), "--hex: hexadecimal digits"),
    ):
        done = run(*words)
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_the_page_and_the_help_name_what_there_is() -> None:
    page = (catalogue.ROOT / "docs/fuzzing.md").read_text(encoding="utf-8")
    table = page.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    listed = {name: row for row in table for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert sorted(listed) == catalogue.names()
    assert [name for name in listed if listed[name].endswith("| both |")] == catalogue.portable()
    assert f"no end within {STALL_S:g} s" in page and f"{MEMORY_BYTES >> 20} MB" in page
    assert "tests/fuzz/corpus/TARGET" in run("--help").stdout
    assert [line.split()[0] for line in run("--list").stdout.splitlines()] == catalogue.names()


def test_our_parsers(tmp_path: Path) -> None:
    """A minute of all targets; `run.py --minutes 60` is the same for an hour."""
    done = run("--minutes", str(MINUTES), "--jobs", str(JOBS), "--seed", str(SEED), "--save", str(tmp_path))
    print(done.stdout)
    assert done.returncode == 0, f"seed {SEED}\n{done.stdout}{done.stderr}"
