"""A gateway as a service manager starts it: `eventhive gateway run`, with a notify socket, and what it costs.

Memory and processor time are those of its process as the kernel counts them (proc(5)).
"""

import os
import socket
import sys
import time
from pathlib import Path

from stand import DEADLINE_S, GATEWAY, Bench, Child
from support import BenchmarkError

ROOT = Path(__file__).resolve().parents[2]

# What a message of a service to its manager may have.
NOTIFY_BYTES = 4096
# A gateway ends within nine seconds.
STOP_S = 15.0


class Service(Child):
    """A gateway of its own process in the folder of a bench; ready when this returns. `ready_ms`: how long it took."""

    def __init__(self, stand: Bench, config: str):
        if not os.path.isdir("/proc/self/task"):
            raise BenchmarkError("memory and time of a process are read from /proc, which is not there")
        (stand.folder / f"{GATEWAY}.yaml").write_text(config)
        path = stand.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.settimeout(DEADLINE_S)
            environment = {"PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": str(path)}
            began = time.monotonic()
            super().__init__([sys.executable, "-m", "eventhive", "gateway", "run"], environment, stand.folder)
            while b"READY=1" not in self._told(manager).splitlines():
                pass
            self.ready_ms = (time.monotonic() - began) * 1000
        path.unlink()

    def rss(self) -> int:
        """Resident memory, in bytes."""
        words = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Processor time of all its threads so far, in seconds."""
        # Behind its name, which is in parentheses and may contain anything: fields 14 and 15 of all.
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def core_percent(self, seconds: float) -> float:
        """Processor time of so many seconds from now, in per cent of one core."""
        cpu, began = self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_s() - cpu) / (time.monotonic() - began) * 100

    def close(self) -> None:
        """Stop it as a service manager does."""
        self.process.terminate()
        self.output(STOP_S)
        super().close()

    def _told(self, manager: socket.socket) -> bytes:
        try:
            return manager.recv(NOTIFY_BYTES)
        except TimeoutError:
            self._fail(f"not ready within {DEADLINE_S:g} s")
