"""Real processes that run small programs, and hives in this process."""

import asyncio
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import MISSING, PROGRAM, RedisServer

from eventhive.config import build
from eventhive.core.errors import LocalError
from eventhive.discovery import Announcement, Announcer, search
from eventhive.eventlist import ProgramEvents
from eventhive.hive import Hive
from eventhive.reach import reach
from eventhive.settings import Settings

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0

# A line leaves in one write, so that no line of a log gets into it.
WHOLE_LINES = "import sys; sys.stdout.reconfigure(line_buffering=True)\n"
LOOPBACK = ("127.0.0.1",)


class Program:
    """A Python program in a process of its own, whose output is read line by line."""

    def __init__(self, source: str, folder: Path, environment: dict[str, str]):
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-c", WHOLE_LINES + textwrap.dedent(source)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def expect(self, text: str) -> str:
        """Wait for a line that contains `text`."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                line = self._queue.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line with {text!r} in:\n" + "\n".join(self.lines))
            self.lines.append(line)
            if text in line:
                return line

    def tell(self, line: str = "") -> None:
        """Write a line to its standard input."""
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Wait until it has ended by itself; returns all it wrote."""
        code = self.process.wait(DEADLINE)
        while (line := self._queue.get(timeout=DEADLINE)) is not None:
            self.lines.append(line)
        output = "\n".join(self.lines)
        assert code == 0, output
        return output

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start programs: `run(source, **environment)`."""
    programs: list[Program] = []

    def start(source: str, **environment: str) -> Program:
        programs.append(Program(source, tmp_path, environment))
        return programs[-1]

    yield start
    for program in programs:
        program.kill()
        for stream in (program.process.stdin, program.process.stdout):
            assert stream
            stream.close()


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """A folder with certificates, and with keys that only their owner can read."""
    for file in (Path(__file__).parent / "tls").iterdir():
        shutil.copyfile(file, tmp_path / file.name)
        (tmp_path / file.name).chmod(0o600)
    return tmp_path


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start Redis servers: `start_redis(*options)`."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    servers: list[RedisServer] = []

    def start(*options: str, configuration: str = "") -> RedisServer:
        servers.append(RedisServer(tmp_path, *options, configuration=configuration))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def redis_server(start_redis: Callable[..., RedisServer]) -> RedisServer:
    """A running Redis server."""
    return start_redis()


@pytest.fixture(scope="session")
def multicast() -> None:
    """Multicast DNS on loopback; some containers have none."""

    async def probe() -> bool:
        announcer = Announcer(
            Announcement("probe", "127.0.0.1", 1, id="probe"), reach("127.0.0.1", ()), lambda other: None
        )
        await announcer.start()
        try:
            return bool(await search("probe", 3, LOOPBACK))
        finally:
            await announcer.stop()

    try:
        if not asyncio.run(probe()):
            pytest.skip("multicast DNS on 127.0.0.1: what was announced is not found")
    except LocalError as error:
        pytest.skip(f"multicast DNS on 127.0.0.1: {error}")


@pytest.fixture
def network(port: int) -> str:
    """The name of a network that no other test of this machine announces."""
    return f"net-{port}"


class Here:
    """A hive in this process, with its events."""

    def __init__(self, text: str):
        settings = Settings()
        settings.read_string(text)
        self.events = ProgramEvents(lambda name, data: self.hive.call(name, data))
        self.hive = Hive(build(settings), self.events)

    def start(self) -> "Here":
        self.hive.start()
        return self

    def in_loop(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in the loop and return its result."""

        async def call() -> Any:
            return function(*args)

        return self.hive.run_in_loop(call())


@pytest.fixture
def here() -> Iterator[Callable[[str], Here]]:
    """Start hives in this process: `here(yaml)`."""
    hives: list[Here] = []

    def start(text: str) -> Here:
        hives.append(Here(text))
        return hives[-1].start()

    yield start
    for one in hives:
        one.hive.stop(1)


def wait_for(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until a condition of another thread holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        threading.Event().wait(0.005)


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., None]:
    """The function `wait_for`."""
    return wait_for
