"""A command with a person at its terminal, who reads and types."""

import os
import pty
import selectors
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
READ_BYTES = 4096

# A password is read from the terminal of the session, which has to have one, then.
AT_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Asked:
    """A command that runs, until `close` at the latest; `screen` is what is to be read so far, with what was typed."""

    def __init__(self, words: "list[str]", folder: Path, deadline_s: float, **environment: str):
        self.screen = ""
        self._deadline_s = deadline_s
        self._master, slave = pty.openpty()
        command = [sys.executable, "-c", AT_TERMINAL, sys.executable, "-m", "eventhive", *words]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def until(self, text: str) -> None:
        """Read until this is on the screen."""
        end = time.monotonic() + self._deadline_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            while text not in self.screen:
                if not selector.select(end - time.monotonic()) or not self._read():
                    raise AssertionError(f"no {text!r} on the screen:\n{self.screen}")

    def type(self, keys: str) -> None:
        """Press keys; `\\r` is Enter."""
        os.write(self._master, keys.encode())

    def end(self) -> "tuple[int, str]":
        """Read until it has ended: its exit code, and what it wrote into a pipe as its output."""
        while self._read():
            pass
        out, _ = self._process.communicate(timeout=self._deadline_s)
        return self._process.returncode, out.decode()

    def close(self) -> None:
        """End it in any case."""
        self._process.kill()
        self._process.communicate()
        os.close(self._master)

    def _read(self) -> bool:
        try:
            data = os.read(self._master, READ_BYTES)
        except OSError:
            # The terminal has gone with the last that had it open.
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)
