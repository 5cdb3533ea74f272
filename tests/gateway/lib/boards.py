"""Gateways, hive processes and devices as real processes; the devices run MicroPython in the tree that a board gets."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from eventhive.cli.chaos.ports import free_port
from eventhive.cli.demo.cable import Cable
from eventhive.device.tools import micropython
from eventhive.gateway.control import NotRunningError, request
from eventhive.gateway.keys import KeyStore

ROOT = Path(__file__).parents[3]

# What a Pico W has free for programs.
HEAP = "190K"

# Longer than anything here takes on a busy machine; nothing waits this long when all is well.
DEADLINE_S = 30.0

# What devices send here, mostly.
EVENT = "my-hive/queen/event"

# A process that hosts the network, is the gateway, and hooks what its arguments name. It calls what it reads.
HUB = """
import json, sys, eventhive
from eventhive.cli.output import log_to_stderr

log_to_stderr("info")
eventhive.CONFIG.read_file(sys.argv[1])

def arrived(data):
    print("arrived", json.dumps([eventhive.get_event_name(), data]), flush=True)

for name in sys.argv[2:]:
    eventhive.hook(name)(arrived)
eventhive.init()
print("ready", flush=True)
for line in sys.stdin:
    name, data = json.loads(line)
    eventhive.EVENTS.call(name, data)
eventhive.stop()
"""

# A board's program: runs the lines that it reads, as one would type them at its prompt.
BOARD = """
import asyncio, sys
import eventhive

def show(data):
    print("hook", eventhive.get_event_name(), data)

async def sending(name, data, timeout_s):
    print("sent", data, await eventhive.send(name, data, timeout_s))

async def calling(name, count):
    for number in range(count):
        eventhive.EVENTS.call(name, number)
        await asyncio.sleep_ms(10)

async def commands():
    lines = asyncio.StreamReader(sys.stdin)
    print("started")
    while True:
        line = await lines.readline()
        if not line:
            break
        try:
            exec(line)
        except Exception as error:
            print("raised %s: %s" % (type(error).__name__, error))

for name in sys.argv[1:]:
    eventhive.hook(name)(show)
node = eventhive.init()
asyncio.run(node.run(commands()))
print("ended")
"""


# A process that hooks `queen/…` and hosts the network, for `str.format`.
HIVE = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: queen, init: {{port: {port}}}}}
servers:
  my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}
"""


class Process:
    """A process whose output, both streams, is kept line by line."""

    def __init__(self, command: list[str], folder: Path, **environment: str):
        self.lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            # Buffered, so that a line leaves in one write and no line of a log gets into it.
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def seen(self, text: str) -> list[str]:
        """The lines with this text, so far."""
        with self._news:
            return [line for line in self.lines if text in line]

    def expect(self, text: str, count: int = 1) -> list[str]:
        """Wait until so many lines have this text; returns them."""
        end = time.monotonic() + DEADLINE_S
        with self._news:
            while len(found := [line for line in self.lines if text in line]) < count:
                if self._ended or not self._news.wait(end - time.monotonic()):
                    output = "\n".join(self.lines)
                    raise AssertionError(f"{len(found)} of {count} lines with {text!r} in:\n{output}")
            return found

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def kill(self) -> "Process":
        """End it as a crash would, whatever state it is in."""
        self.process.send_signal(signal.SIGKILL)
        self.wait()
        return self

    def wait(self) -> int:
        """Wait for its end; returns its exit code."""
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            # What was told to one that had ended is still in the pipe.
            with suppress(BrokenPipeError):
                stream.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.decode(errors="backslashreplace").rstrip("\r\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


class Hub(Process):
    """The gateway, its network and its hooks."""

    def call(self, name: str, data: Any) -> None:
        """Call an event in it."""
        self.tell(json.dumps([name, data]))

    def arrived(self, name: str, count: int) -> list[Any]:
        """Wait for so many events of a name; returns their data."""
        found = self.expect(f'arrived ["{name}"', count)
        return [json.loads(line.partition(" ")[2])[1] for line in found]


class BoardProcess(Process):
    """A device."""

    def call(self, name: str, data: Any) -> None:
        """Call an event on it, and print what that gave."""
        self.tell(f"print('called', eventhive.EVENTS.call({name!r}, {data!r}))")


class Place:
    """A folder with a gateway's configuration and key file, and a folder for each device in it."""

    def __init__(self, folder: Path, tree: Path, port: int, serial: str = ""):
        self.folder = folder
        self.tree = tree
        self.port = port
        self.keys = KeyStore(folder / "gateway.keys")
        self._cable: Cable | None = None
        self._living: list[Process] = []
        text = "connectors:\n  my-hive: {pubsub_type: memory, input_channel: queen}\n"
        text += f"gateway:\n  websocket: {{host: 127.0.0.1, port: {port}}}\n"
        if serial:
            text += f"  serial: [{{port: {serial}}}]\n"
        (folder / "gateway.yaml").write_text(text)

    def add(self, text: str) -> None:
        """Append to the gateway's configuration."""
        with (self.folder / "gateway.yaml").open("a") as file:
            file.write(text)

    def plug(self) -> tuple[str, str]:
        """Connect a serial cable; returns the paths of its ends, which stay the same: the gateway's, the device's."""
        self.unplug()
        self._cable = Cable()
        paths = self.folder / "port", self.folder / "device"
        for path, end in zip(paths, self._cable.ends, strict=True):
            path.symlink_to(end)
        return str(paths[0]), str(paths[1])

    def unplug(self) -> None:
        """Take the cable away, if there is one."""
        for name in ("port", "device"):
            (self.folder / name).unlink(missing_ok=True)
        if self._cable is not None:
            self._cable.close()
            self._cable = None

    def start(self, process: Process) -> Any:
        """Take care of a process: it is gone at the end of the test."""
        self._living.append(process)
        return process

    def hub(self, *hooks: str, file: str = "gateway.yaml", program: str = HUB) -> Hub:
        """Start the gateway with hooks, or another member of the network, and wait until it is ready."""
        hub: Hub = self.start(Hub([sys.executable, "-c", program, file, *hooks], self.folder))
        hub.expect("ready")
        return hub

    def command(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of eventhive."""
        command = [sys.executable, "-m", "eventhive", *words]
        whole = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        return subprocess.run(
            command, cwd=self.folder, env=whole, capture_output=True, text=True, timeout=DEADLINE_S
        )

    def enrol(self, name: str) -> bytes:
        """Add a device to the key file, and tell a gateway that runs; returns its key."""
        key = self.keys.add(name, ["my-hive"]).key
        with suppress(NotRunningError):
            request(self.folder / "gateway.sock", "reload_keys", DEADLINE_S)
        return key

    def settings(self, name: str, serial: str = "", **changes: Any) -> dict[str, Any]:
        """An eventhive.json; the device is enrolled with it unless its key is given."""
        if "key" not in changes:
            changes["key"] = self.enrol(name).hex()
        link: dict[str, Any] = {"type": "websocket", "host": "127.0.0.1", "port": self.port}
        if serial:
            link = {"type": "serial", "device": serial}
        whole = {"id": name, "link": link, "connectors": {"my-hive": {"input_channel": name}}, **changes}
        return {key: value for key, value in whole.items() if value is not None}

    def board(self, settings: dict[str, Any], *hooks: str, program: str = BOARD) -> BoardProcess:
        """Switch a device on; one of the same name keeps its files."""
        home = self.folder / str(settings["id"])
        home.mkdir(exist_ok=True)
        (home / "eventhive.json").write_text(json.dumps(settings))
        (home / "main.py").write_text(program)
        command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", "main.py", *hooks]
        board: BoardProcess = self.start(BoardProcess(command, home, MICROPYPATH=f"{self.tree}:.frozen"))
        return board

    def end(self) -> None:
        """End everything."""
        for process in self._living:
            if process.process.poll() is None:
                process.kill()
            elif process.process.stdout and not process.process.stdout.closed:
                process.wait()
        self.unplug()


def status(place: Place, name: str) -> Any:
    """What the gateway says of a device."""
    devices = request(place.folder / "gateway.sock", "devices", DEADLINE_S)["devices"]
    return next(device for device in devices if device["name"] == name)


@contextmanager
def at_place(folder: Path, tree: Path) -> Iterator[Place]:
    """A place with a serial port, which is not there yet; its processes are gone at the end."""
    place = Place(folder, tree, free_port(), str(folder / "port"))
    try:
        yield place
    finally:
        place.end()
