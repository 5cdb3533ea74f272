"""A Pico W without a Pico W: the emulator `rp2040py` runs its real firmware, and joins a wireless network of its own.

The board reaches this machine at any of its addresses but 127.0.0.1, so `--host` has to name one; the emulator's own
`10.0.0.1` leads nowhere. A second of the board's time takes half a minute.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from hil.targets.serial_port import SerialPort

PROGRAM = Path(__file__).parents[1] / "lib" / "pico_w.py"

# The network that it has.
WIFI = {"ssid": "RP2040PY-GUEST", "password": "password"}


@dataclass(eq=False)
class Emulator(SerialPort):
    """The emulator as a process, from the first test to the last."""

    image: Path = Path()
    _process: "subprocess.Popen[str] | None" = field(init=False, default=None)

    def open(self, tree: Path) -> None:
        if find_spec("rp2040py") is None:
            pytest.skip("rp2040py is not installed: pip install 'rp2040py[fs]'")
        options = ["--board", "pico_w", "--pty", "--image", str(self.image)]
        command = [sys.executable, str(PROGRAM), "micropython", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"/dev/pts/\d+", line):
                self.port = found[0]
                break
        else:
            raise AssertionError(f"{' '.join(command)}: ended with exit code {self._process.wait()}")
        super().open(tree)

    def close(self) -> None:
        super().close()
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def emulator(image: str, host: str) -> Emulator:
    """The emulator with a firmware file; without `host`, it has its serial line alone."""
    if not Path(image).is_file():
        raise pytest.UsageError(f"--target emulator:{image}: there is no such file: download a .uf2 for the Pico W")
    capabilities = {"serial", "slow"} | ({"network", "wifi"} if host else set())
    extras = {"wifi": WIFI} if host else {}
    name = f"emulator-{Path(image).stem}"
    return Emulator(name, frozenset(capabilities), host or "127.0.0.1", extras=extras, image=Path(image))
