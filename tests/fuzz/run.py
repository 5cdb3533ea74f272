"""Fuzzing of every parser that meets bytes of others; `--help` says how, docs/fuzzing.md what and why."""

import argparse
import os
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))

import catalogue
from supervisor import Plan, Report, run, teller
from worker import ENGINES, has_atheris, read_log

catalogue.extend_path()

from oracle import examine  # noqa: E402 (its path was just added)

SEED = 2026

HELP = """\
Gives the parsers of EventHive inputs that no honest peer sends. Each input must give events or a documented error,
within bounded memory, and where bytes come in a stream, the same whole and byte by byte.

  python tests/fuzz/run.py --minutes 5                     all targets, five minutes in all
  python tests/fuzz/run.py --minutes 1 --target envelope   one target
  python tests/fuzz/run.py --inputs 1000000 --json         so many inputs in all, slow targets get fewer; JSON on stdout
  python tests/fuzz/run.py --target envelope --hex 5b5d    replay one input, with a traceback where it fails
  python tests/fuzz/run.py --list                          the targets, each a file of tests/fuzz/targets

On a finding the exit code is 1, and the input is saved in tests/fuzz/corpus/TARGET: it is tried by the tests from then
on. Correct the parser, and give the file a name that says what it shows."""


def main(words: list[str]) -> int:
    """Do as the command line says; returns the exit code."""
    given = arguments(words)
    folder = given.targets
    names = catalogue.names(folder)
    unknown = [name for name in given.target if name not in names]
    if unknown:
        return complain(f"--target {unknown[0]}: there is no such target; there are: {', '.join(names)}")
    if given.list:
        return show(folder, names)
    if given.seeds:
        print(f"{catalogue.write_seeds(folder, given.corpus)} seeds written to {given.corpus}")
        return 0
    if given.hex is not None:
        return replay(given, folder)
    if not given.minutes and not given.inputs:
        return complain("--minutes N or --inputs N is needed: how long, or how much")
    return fuzz(given, tuple(given.target or names), folder)


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="run.py", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser.add_argument("--minutes", type=float, default=0, metavar="N", help="how long, in all")
    parser.add_argument("--inputs", type=int, default=0, metavar="N", help="how many inputs, of all targets together")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the random choices (%(default)s)")
    parser.add_argument("--target", action="append", default=[], metavar="NAME", help="this one; may be repeated")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object; progress goes to stderr")
    parser.add_argument("--jobs", type=int, default=cores, metavar="N", help="processes at a time (%(default)s)")
    parser.add_argument("--engine", choices=ENGINES, help="atheris (coverage guided) where it is installed")
    parser.add_argument("--hex", metavar="BYTES", help="try this input of one --target, and nothing else")
    parser.add_argument("--list", action="store_true", help="show the targets")
    parser.add_argument("--seeds", action="store_true", help="write the seeds of all targets into the corpus")
    for option, default, text in (
        ("--targets", catalogue.TARGETS, "another folder of targets"),
        ("--corpus", catalogue.CORPUS, "another corpus"),
        ("--save", None, "where findings are saved (the corpus)"),
    ):
        parser.add_argument(option, type=Path, default=default, metavar="DIR", help=text)
    return parser.parse_args(words)


def complain(text: str) -> int:
    """Say what is wrong with the command line."""
    print(f"run.py: {text}", file=sys.stderr)
    return 2


def show(folder: Path, names: list[str]) -> int:
    """List the targets."""
    for name in names:
        target = catalogue.load(name, folder)
        where = "both interpreters" if target.PORTABLE else "CPython"
        print(f"{name:22} {where:18} {(target.__doc__ or '').splitlines()[0]}")
    return 0


def replay(given: argparse.Namespace, folder: Path) -> int:
    """Try one input."""
    if len(given.target) != 1:
        return complain("--hex needs one --target")
    try:
        data = bytes.fromhex(given.hex)
    except ValueError:
        return complain("--hex: hexadecimal digits are needed, two for each byte")
    read_log()
    try:
        came, error = examine(catalogue.load(given.target[0], folder), data)
    except Exception:
        traceback.print_exc()
        return 1
    print(f"{data!r}\ngives {came!r}\nand {error or 'no error'}")
    return 0


def fuzz(given: argparse.Namespace, names: tuple[str, ...], folder: Path) -> int:
    """Fuzz, and report."""
    tell = teller(sys.stderr if given.json else sys.stdout)
    engine = given.engine or ("atheris" if has_atheris() else "mutator")
    if given.engine is None and engine == "mutator":
        tell("atheris is not installed here: plain mutation of the corpus, not guided by coverage")
    if engine == "atheris" and not has_atheris():
        return complain("--engine atheris: it is not installed: pip install -e '.[test]' installs it where it runs")
    tell(f"seed {given.seed}, engine {engine}, {given.jobs} at a time: {', '.join(names)}")
    save = given.save or given.corpus
    seconds = given.minutes * 60
    plan = Plan(names, engine, given.seed, given.jobs, given.inputs, seconds, folder, given.corpus, save)
    report = run(plan, tell)
    if given.json:
        print(report.as_json())
    tell_findings(report, tell)
    return 1 if report.findings else 0


def tell_findings(report: Report, tell: Callable[[str], None]) -> None:
    """Say what was found, and what to do."""
    for one in report.findings:
        trace = textwrap.indent(one.trace.rstrip(), "    ")
        tell(f"{one.target}: {one.what}\n{trace}")
        tell(f"  input:  {one.input}\n  saved:  {one.saved}\n  replay: {one.replay}")
    tell(f"{report.inputs} inputs in {report.seconds:g} s: {len(report.findings) or 'no'} findings")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
