"""A time of day that tests set, for processes of their own (see `clock_shim.c`)."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

DAY_S = 86_400


def library(folder: Path) -> Path:
    """Build what stands between a process and its C library; skips the test where that is not possible."""
    if not sys.platform.startswith("linux"):
        pytest.skip("LD_PRELOAD is of Linux")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc) to build the clock that can be moved")
    built = folder / "clock.so"
    source = Path(__file__).parent / "clock_shim.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(built), str(source), "-ldl"], check=True)
    return built


class MovedClock:
    """The time of day of processes with this `environment`."""

    def __init__(self, shim: Path, file: Path):
        self.environment = {"LD_PRELOAD": str(shim), "EVENTHIVE_TEST_CLOCK": str(file)}
        self._file = file
        self.move(0)

    def move(self, days: int) -> None:
        """Set it so many days off the right one, in one step."""
        new = self._file.with_suffix(".new")
        new.write_text(str(days * DAY_S))
        os.replace(new, self._file)

    def date(self, days: int) -> str:
        """How a line of the log begins then."""
        return time.strftime("%Y-%m-%d", time.localtime(time.time() + days * DAY_S))
