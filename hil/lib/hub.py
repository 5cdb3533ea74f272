"""The computer's side of a test, all of it real: a hive and a gateway, which are processes, and a program."""

import json
import os
import queue
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from boards import Process

from eventhive.cli.chaos.ports import free_port
from eventhive.config import build
from eventhive.eventlist import ProgramEvents
from eventhive.hive import Hive
from eventhive.settings import Settings
from hil.lib.console import DEADLINE_S
from hil.lib.relay import Relay
from hil.targets.base import Target

HIVE = """
import sys, eventhive
eventhive.CONFIG.read_file(sys.argv[1])
eventhive.init()
print("ready", flush=True)
eventhive.run_forever()
"""
HIVE_YAML = """
connectors: {{my-hive: {{pubsub_type: websocket, init: {{port: {port}}}}}}}
servers: {{my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}}}
"""
GATEWAY_YAML = """
connectors: {{my-hive: {{pubsub_type: websocket, input_channel: gateway, init: {{port: {hive}}}}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: {port}}}
  serial: {serial}
  control: {control}/gateway.sock
"""
TESTS_YAML = "connectors: {{my-hive: {{pubsub_type: websocket, input_channel: tests, init: {{port: {hive}}}}}}}"

# The gateway gives a hand-shake five seconds, in which an emulated board gets through a tenth of one; and one that is
# silent for long, or acknowledges late, is neither gone nor deaf.
PATIENT = """
import sys
from eventhive.core import framing, session
for module, name in (
    (session, "HANDSHAKE_MS"), (session, "SILENT_INTERVALS"), (framing, "FIRST_RETRY_MS"), (framing, "MAX_RETRY_MS")
):
    setattr(module, name, int(getattr(module, name) * float(sys.argv[1])))
from eventhive.cli.main import main
sys.exit(main(sys.argv[2:]))
"""

# The name of the device of every test.
DEVICE = "dut"


class Server:
    """The server of the network `my-hive`, which outlives gateways; its port is `port`."""

    def __init__(self, folder: Path):
        self.port = free_port()
        (folder / "hive.yaml").write_text(HIVE_YAML.format(port=self.port), encoding="utf-8")
        self._process = Process([sys.executable, "-c", HIVE, "hive.yaml"], folder)
        self._process.expect("ready")

    def close(self) -> None:
        """End it."""
        self._process.kill()


class Gateway:
    """`eventhive gateway` in front of the device: `relay` is its TCP port, the target's wire its serial port."""

    def __init__(self, folder: Path, hive: int, target: Target):
        self._folder = folder
        self._target = target
        port = free_port()
        serial = f"[{{port: {target.wire.path}}}]" if target.wire else "[]"
        # The path of a socket may have some hundred characters, and those of tests are longer.
        self._control = TemporaryDirectory(prefix="hil-")
        text = GATEWAY_YAML.format(hive=hive, port=port, serial=serial, control=self._control.name)
        (folder / "gateway.yaml").write_text(text, encoding="utf-8")
        self.relay = Relay(target.host, port, target.frames)
        self._processes: list[Process] = []
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        program = ["-c", PATIENT, f"{self._target.patience:g}"] if self._target.patience > 1 else ["-m", "eventhive"]
        command = [sys.executable, *program, "gateway", "--config", "gateway.yaml"]
        self._processes.append(Process(command, self._folder))
        self.expect("eventhive gateway: ready")

    def kill(self) -> None:
        """End it, as kill -9 does."""
        self._processes[-1].kill()

    def expect(self, text: str, count: int = 1) -> list[str]:
        """Wait until so many lines of its log have this text; returns them."""
        return self._processes[-1].expect(text, count)

    def command(self, *words: str) -> str:
        """Run `eventhive` beside it; returns what that printed."""
        done = subprocess.run(
            [sys.executable, "-m", "eventhive", *words, "--config", "gateway.yaml"],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def enrol(self, link: str) -> dict[str, Any]:
        """Make a key for the device; its eventhive.json, with a link of this kind."""
        settings: dict[str, Any] = json.loads(self.command("device", "add", DEVICE, "--host", self.relay.host))
        if link == "serial":
            settings["link"] = self._target.serial_link()
        else:
            settings["link"]["port"] = self.relay.port
        return settings

    def status(self) -> dict[str, Any]:
        """What `eventhive device list` says of the device."""
        devices = json.loads(self.command("device", "list", "--json"))
        listed = devices["devices"] if isinstance(devices, dict) else devices
        return next(device for device in listed if device["name"] == DEVICE)

    def close(self) -> None:
        """End it; its log is in the folder."""
        self.relay.close()
        self._control.cleanup()
        if self._processes[-1].process.poll() is None:
            self.kill()
        lines = [line for process in self._processes for line in process.lines]
        (self._folder / "gateway.log").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Listener:
    """A program of the network with the channel `tests`: events that it hooks are given by `next`, as (name, data)."""

    def __init__(self, hive: int, patience: float):
        settings = Settings()
        settings.read_string(TESTS_YAML.format(hive=hive))
        self._seconds = DEADLINE_S * patience
        self._events = ProgramEvents(lambda name, data: self._hive.call(name, data))
        self._received: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._hive = Hive(build(settings), self._events)
        self._hive.start()

    def hook(self, *events: str) -> None:
        """Hook events of these names."""
        for event in events:
            self._events.hook(lambda data, event=event: self._received.put((event, data)), f"tests/{event}")

    def answer(self, event: str, value: Any) -> None:
        """Answer requests with what `value(data)` is."""
        self._events.hook(value, f"tests/{event}")

    def call(self, event: str, data: Any = None) -> None:
        """Call an event of the device."""
        self._events.call(f"my-hive/{DEVICE}/{event}", data)

    def request(self, event: str, data: Any = None) -> Any:
        """What the device's hook returns."""
        return self._hive.request(f"my-hive/{DEVICE}/{event}", data, self._seconds).result()

    def next(self) -> tuple[str, Any]:
        """The next event that arrived, waited for."""
        try:
            return self._received.get(timeout=self._seconds)
        except queue.Empty:
            raise AssertionError(f"no event within {self._seconds:g} s") from None

    def waiting(self) -> int:
        """How many have arrived and were not asked for."""
        return self._received.qsize()

    def close(self) -> None:
        """Leave the network."""
        self._hive.stop(1)
