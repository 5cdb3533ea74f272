"""A file system of a few megabytes, which can be full: a real tmpfs, where this process may mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a tmpfs with these options at `folder`; skips the test, and says why, where that is not permitted."""
    if shutil.which("mount") is None:
        pytest.skip("there is no program 'mount': only Linux has a tmpfs")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    if done.returncode:
        pytest.skip(f"a disk cannot be mounted here ({done.stderr.strip()}): run this as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=10)
