"""Types and style, so that one command says whether all is well."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_types() -> None:
    run("mypy")


def test_style() -> None:
    run("ruff", "check", "--output-format=concise")
