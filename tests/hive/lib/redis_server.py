"""A real redis-server in a folder of its own, for tests and benchmarks."""

import shutil
import signal
import subprocess
import threading
from pathlib import Path

from eventhive.cli.chaos.ports import free_port

PROGRAM = shutil.which("redis-server")
MISSING = "redis-server is not installed (Debian and Ubuntu: apt-get install redis-server)"
READY = ("Ready to accept connections", "Sentinel ID is")
DEADLINE = 5.0


class RedisServer:
    """A server on `port` of 127.0.0.1 that keeps nothing on disk; it can be killed and started again."""

    def __init__(self, folder: Path, *options: str, configuration: str = ""):
        self.port = free_port()
        self.folder = folder
        self.log: list[str] = []
        self._file = folder / f"redis-{self.port}.conf"
        self._file.write_text(configuration)
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "RedisServer":
        """Start it; returns when it takes connections."""
        assert PROGRAM is not None, MISSING
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self._process = subprocess.Popen(
            [PROGRAM, str(self._file), *settings, "--save", "", *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self._process, ready), daemon=True).start()
        assert ready.wait(DEADLINE) and self._process.poll() is None, "\n".join(self.log)
        return self

    def kill(self) -> None:
        """End it as a crash would; without effect where it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it do nothing, as a machine without power does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _read(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                self.log.append(line.rstrip())
                if any(text in line for text in READY):
                    ready.set()
        ready.set()
