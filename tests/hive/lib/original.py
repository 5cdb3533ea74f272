"""Real EventHive 0.5.0, in an environment of its own, for tests that have it on the other end of the wire.

`environment()` is its Python. It is made when it is missing and kept between runs in `.venv-0.5.0` of the checkout (or
in the folder that EVENTHIVE_ORIGINAL names); `python tests/hive/lib/original.py` makes it too. 0.5.0 needs CPython 3.11
and a version of uvicorn that it does not declare. Raises `Unavailable` where it cannot be had.

`Original` is a process of it: one member of a network. A process of 0.5.0 does not end by itself and leaves its server
behind, so each one is a session of its own and is killed with all that it started.
"""

import fcntl
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("EVENTHIVE_ORIGINAL") or ROOT / ".venv-0.5.0")
# 0.5.0 fails at start with newer versions of uvicorn.
PACKAGES = ("eventhive==0.5.0", "uvicorn<0.50", "redis")
NEEDED = (3, 11)
DEADLINE_S = 20.0
INSTALL_S = 300.0
# Made when all is installed.
COMPLETE = "complete"

# Hooks `<channel>/action`, prints what it gets, and calls what it is told: lines of an event and its data.
MEMBER = """
import json, os, sys
import eventhive
channel, text = sys.argv[1:]
eventhive.CONFIG.read_string(text)
eventhive.EVENTS.append(channel + "/action")
@eventhive.hook(channel + "/action")
def action(data):
    print("GOT " + json.dumps(data), flush=True)
eventhive.EVENTS.append(["my-hive/worker/action", "my-hive/queen/action"])
eventhive.init()
print("READY", flush=True)
for line in sys.stdin:
    event, data = line.split(" ", 1)
    eventhive.EVENTS.call(event, json.loads(data))
"""

# Has it announce and look up on the loopback interface only; 0.5.0 itself has no word for that.
LOOPBACK = """
import zeroconf
class Loopback(zeroconf.Zeroconf):
    def __init__(self, *args, **kwargs):
        super().__init__(interfaces=["127.0.0.1"])
zeroconf.Zeroconf = Loopback
import eventhive.broadcast
eventhive.broadcast.get_ip = lambda: "127.0.0.1"
"""


class Unavailable(Exception):
    """There is no environment with 0.5.0 here; the text says why."""


def environment() -> Path:
    """The Python interpreter of an environment with 0.5.0."""
    python = FOLDER / "bin" / "python"
    return python if (FOLDER / COMPLETE).exists() else made(FOLDER, _base(), PACKAGES)


def made(folder: Path, base: str, packages: tuple[str, ...]) -> Path:
    """The Python of an environment with these packages, made where it is not complete; by one process at a time."""
    python = folder / "bin" / "python"
    if not (folder / COMPLETE).exists():
        with open(f"{folder}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / COMPLETE).exists():
                shutil.rmtree(folder, ignore_errors=True)
                _run([base, "-m", "venv", str(folder)])
                _run([str(python), "-m", "pip", "install", "-q", *packages])
                (folder / COMPLETE).touch()
    return python


def _base() -> str:
    if sys.version_info[:2] == NEEDED:
        return sys.executable
    found = shutil.which("python3.11")
    if found is None:
        raise Unavailable("EventHive 0.5.0 needs CPython 3.11, and there is no python3.11 on the PATH")
    return found


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{' '.join(command)}: not done within {INSTALL_S:g} s") from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["failed"])[-1]
        raise Unavailable(f"cannot be installed here: {command[-1]}: {why}")


class Original:
    """A member of a network that runs 0.5.0; `got` are the data of its hook, in order."""

    def __init__(
        self, python: Path, folder: Path, channel: str, configuration: str, prelude: str = "", **environment: str
    ):
        self.got: list[object] = []
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [python, "-c", prelude + MEMBER, channel, configuration],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._wait_for("READY")

    def call(self, event: str, data: object) -> None:
        """Have it call an event."""
        assert self.process.stdin
        self.process.stdin.write(f"{event} {json.dumps(data)}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))
                if line.startswith("GOT "):
                    self.got.append(json.loads(line[4:]))
                self._queue.put(line)
        self._queue.put(None)

    def _wait_for(self, text: str) -> None:
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                line = self._queue.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                line = None
            assert line is not None, f"no {text} of EventHive 0.5.0 in:\n" + "\n".join(self.lines)
            if line.startswith(text):
                return


if __name__ == "__main__":
    try:
        print(environment())
    except Unavailable as error:
        sys.exit(str(error))
