"""Real processes that run small programs, and hives in this process."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import DEADLINE, Program, script
from redis_server import MISSING, PROGRAM, RedisServer

from eventhive.cli.chaos.ports import free_port
from eventhive.config import build
from eventhive.core.errors import LocalError
from eventhive.discovery import Announcement, Announcer, search
from eventhive.eventlist import ProgramEvents
from eventhive.hive import Hive
from eventhive.reach import reach
from eventhive.settings import Settings

ROOT = Path(__file__).parents[2]
LOOPBACK = ("127.0.0.1",)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start programs: `run(source, **environment)`."""
    programs: list[Program] = []

    def start(source: str, **environment: str) -> Program:
        programs.append(Program(script(source), tmp_path, environment))
        return programs[-1]

    yield start
    for program in programs:
        program.release()


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
    return free_port()


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
