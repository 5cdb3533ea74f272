"""A board on a cable: MicroPython's unix port behind a REPL of its own, with a real LittleFS, at a pseudo-terminal."""

import os
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path

from eventhive.cli.demo.cable import Cable
from eventhive.device.tools import micropython

REPL = Path(__file__).with_name("repl.py")
MODES = {3: "raw", 4: "main", 5: "main"}
HEAP = "190K"
BLOCK = 4096


class CabledBoard:
    """Switched on when it is made, until `end`. `port` is where this machine has it; `blocks` is the size of its flash.

    `sim` is a folder of stand-ins for modules of a board's firmware. `starts` counts how often its interpreter began.
    """

    def __init__(self, folder: Path, blocks: int = 64, sim: Path | None = None, program: Path = REPL):
        folder.mkdir()
        self.folder = folder
        self.image = folder / "flash"
        self.image.write_bytes(b"\xff" * BLOCK * blocks)
        self.starts = 0
        self._program = program
        self._sim = sim
        self._cable = Cable()
        self.port, self._terminal = self._cable.ends
        _interrupting(self._terminal)
        self._over = False
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Switch it off, and pull out the cable."""
        with self._lock:
            self._over = True
            if self._process is not None:
                self._process.send_signal(signal.SIGKILL)
        self._thread.join()
        self._cable.close()

    def _run(self) -> None:
        mode = "main"
        path = ":".join([str(self._sim), ".frozen"] if self._sim else [".frozen"])
        while True:
            with self._lock:
                if self._over:
                    return
                self.starts += 1
                command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", str(self._program)]
                with open(self._terminal, "r+b", buffering=0, opener=_without_control) as terminal:
                    self._process = subprocess.Popen(
                        [*command, self._terminal, str(self.image), mode],
                        cwd=self.folder,
                        env={**os.environ, "MICROPYPATH": path},
                        stdin=terminal,
                        stdout=terminal,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
            code = self._process.wait()
            mode = MODES.get(code, "main")


def _without_control(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOCTTY)


def _interrupting(terminal: str) -> None:
    """Let Ctrl-C interrupt, and keep what stands behind it; no other character means anything."""
    number = _without_control(terminal, os.O_RDWR)
    try:
        attributes = termios.tcgetattr(number)
        attributes[3] |= termios.ISIG | termios.NOFLSH
        for at in (termios.VQUIT, termios.VSUSP):
            attributes[6][at] = b"\0"
        attributes[6][termios.VINTR] = b"\x03"
        termios.tcsetattr(number, termios.TCSANOW, attributes)
    finally:
        os.close(number)


if __name__ == "__main__":
    board = CabledBoard(Path(sys.argv[1]))
    print(board.port, flush=True)
    try:
        sys.stdin.read()
    finally:
        board.end()
