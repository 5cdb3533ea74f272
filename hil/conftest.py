"""Hardware in the loop: the same tests for each kind of device, with a real gateway process in front of it.

The one kind so far is MicroPython's unix port: a process with the heap of a board, in the staged tree, on TCP or at a
pseudo-terminal. Tests wait for lines and events, never for time to pass.
"""

import json
import os
import queue
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.config import build
from eventhive.device.stage import stage
from eventhive.device.tools import micropython
from eventhive.eventlist import ProgramEvents
from eventhive.hive import Hive
from eventhive.settings import Settings
from hil.unix import UnixPort

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_S = 60

CONFIGURATION = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: gateway}}
servers:
  my-hive: {{pubsub_type: websocket, create: always, init: {{port: 0}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: 0}}
  serial: [{{port: {port}}}]
"""
TESTS = "connectors: {{my-hive: {{pubsub_type: websocket, input_channel: tests, init: {{port: {port}}}}}}}"


class Gateway:
    """`eventhive gateway` in a process of its own, ready; `hive_port` is where its network is."""

    def __init__(self, folder: Path, serial_port: str):
        self._folder = folder
        (folder / "gateway.yaml").write_text(CONFIGURATION.format(port=serial_port), encoding="utf-8")
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (folder / "gateway.log").open("w") as log:
            self._process = subprocess.Popen(
                [*self._command(), "gateway"],
                cwd=folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        found = re.search(r"serving my-hive on 127\.0\.0\.1:(\d+)", ready)
        assert found, f"{ready}; see {folder}/gateway.log"
        self.hive_port = int(found[1])

    def enrol(self, name: str, *words: str) -> dict[str, Any]:
        """Make a key for a device, while the gateway runs; what belongs into its eventhive.json."""
        command = [*self._command(), "device", "add", name, *words]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=DEADLINE_S
        )
        assert done.returncode == 0, done.stderr
        settings: dict[str, Any] = json.loads(done.stdout)
        return settings

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=DEADLINE_S)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "eventhive"]


class Listener:
    """A program of the network: every event of the channel `tests` is in `events`, as (name, data)."""

    def __init__(self, port: int):
        settings = Settings()
        settings.read_string(TESTS.format(port=port))
        self._events = ProgramEvents(lambda name, data: self._hive.call(name, data))
        self._received: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._hive = Hive(build(settings), self._events)
        self._hive.start()

    def hook(self, event: str) -> None:
        self._events.hook(lambda data: self._received.put((event, data)), f"tests/{event}")

    def call(self, event: str, data: Any) -> None:
        self._events.call(f"my-hive/{event}", data)

    def next(self) -> tuple[str, Any]:
        """The next event that arrived, waited for."""
        return self._received.get(timeout=DEADLINE_S)

    def close(self) -> None:
        self._hive.stop(1)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What goes on a board, compiled; made once."""
    folder = tmp_path_factory.mktemp("staged")
    stage(folder, mpy=True)
    return folder


@pytest.fixture
def dut(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UnixPort]:
    """The device under test."""
    if micropython() is None:
        pytest.skip("no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one")
    device = UnixPort(tmp_path, request.getfixturevalue("tree"))
    yield device
    device.close()


@pytest.fixture
def gateway(tmp_path: Path, dut: UnixPort) -> Iterator[Gateway]:
    """A gateway that has the device's serial port open."""
    one = Gateway(tmp_path, dut.port)
    yield one
    one.close()


@pytest.fixture
def listener(gateway: Gateway) -> Iterator[Listener]:
    """A Python program that receives and sends."""
    one = Listener(gateway.hive_port)
    yield one
    one.close()


@pytest.fixture(params=["websocket", "serial"])
def settings(request: pytest.FixtureRequest, gateway: Gateway, dut: UnixPort) -> dict[str, Any]:
    """The configuration of an enrolled device named `dut`, over each kind of link."""
    return gateway.enrol("dut", *(["--serial", dut.device] if request.param == "serial" else []))
