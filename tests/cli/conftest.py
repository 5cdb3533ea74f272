"""Commands as processes, and a server of a hive to meet at."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import Lines

from eventhive.cli.chaos.ports import free_port

ROOT = Path(__file__).parents[2]

# Longer than anything here takes on a busy machine; nothing waits this long when all is well.
DEADLINE_S = 60

SERVER = """
import eventhive
eventhive.CONFIG.read_string('''
servers:
  my-hive: {pubsub_type: websocket, create: always, init: {port: PORT}}
''')
eventhive.init()
print(eventhive.SERVERS["my-hive"].port, flush=True)
eventhive.run_forever()
"""


class Command:
    """A running command; what it writes is read as it comes, its stdout from `read` on if it must wait for that."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str], reads: bool):
        self._output: list[str] = []
        self._threads: list[threading.Thread] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        self._errors = Lines(self.process.stderr)
        if reads:
            self.read()

    def read(self) -> None:
        """Begin to read its stdout."""
        self._threads.append(threading.Thread(target=self._read_output))
        self._threads[-1].start()

    def _read_output(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._output.append(line.rstrip("\n"))

    def expect(self, text: str) -> str:
        """Wait for a line on stderr that has `text`."""
        return self._errors.expect(text, DEADLINE_S)

    def tell(self, text: str) -> None:
        """Write to its stdin."""
        assert self.process.stdin
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self, number: int = 0) -> "tuple[int, list[str], list[str]]":
        """Wait for its end, after a signal or by itself: exit code, and all lines on stdout and stderr."""
        if number:
            self.process.send_signal(number)
        assert self.process.stdin
        self.process.stdin.close()
        code = self.process.wait(DEADLINE_S)
        for thread in self._threads:
            thread.join(DEADLINE_S)
        return code, self._output, self._errors.rest(DEADLINE_S)

    def release(self) -> None:
        """See that nothing is left of it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for thread in self._threads:
            thread.join()
        self._errors.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            stream.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start a command in the folder of the test: `start("eventhive", "listen", …, VARIABLE="value")`."""
    commands: list[Command] = []

    def begin(*words: str, reads: bool = True, **environment: str) -> Command:
        commands.append(Command(list(words), tmp_path, environment, reads))
        return commands[-1]

    yield begin
    for command in commands:
        command.release()


class Server:
    """A server of the network `my-hive` in a process of its own."""

    def __init__(self, port: int = 0):
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER.replace("PORT", str(port))],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        self.url = f"ws://127.0.0.1:{self.port}/pubsub"

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(DEADLINE_S)
        assert self._process.stdout
        self._process.stdout.close()


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server that all tests may use."""
    server = Server()
    yield server
    server.end()


@pytest.fixture
def start_server() -> Iterator[Callable[[int], Server]]:
    """Start a server on a port."""
    servers: list[Server] = []

    def begin(port: int) -> Server:
        servers.append(Server(port))
        return servers[-1]

    yield begin
    for server in servers:
        server.end()
