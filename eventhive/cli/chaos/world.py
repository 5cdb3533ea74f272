"""The processes of the checker, and the folder that they share."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import LocalError
from ...device.sources import examples_dir
from ...gateway.control import NotRunningError, request
from ...gateway.keys import KeyStore
from ..demo.board import cpython, interpreter, stage_tree
from .history import Given, Line, Mark
from .ports import free_port

NETWORK = "my-hive"
PROGRAM = "chaos-device"
STATE = "state"

# What is on a disk of its own, where this user may make one: the write-ahead log alone takes 4 MB of it.
DISK = "16m"

# From the start of a process to its line.
READY_S = 30.0

_GATEWAY = """
connectors:
  my-hive:
    pubsub_type: websocket
    input_channel: gateway
    delivery: once
    init: {host: 127.0.0.1, port: %d}
gateway:
  websocket: {host: 127.0.0.1, port: %d}
  serial: [%s]
  spool: {file: state/gateway.spool}
"""


class HivePorts(NamedTuple):
    """Where the hive's server listens, and where the gateway and the hooks reach it."""

    server: int
    gateway: int
    hooks: int


class Program:
    """A process that says when it is ready, and can be started again."""

    def __init__(self, folder: Path, name: str, command: list[str]):
        self._folder = folder
        self._name = name
        self._command = command
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it, and wait for its line; `LocalError` when it does not come up."""
        with (self._folder / f"{self._name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        if self.process.stdout is None or b"ready" not in self.process.stdout.readline():
            raise LocalError(f"{self._name} did not start: {self._folder}/{self._name}.log says why")

    def kill(self) -> None:
        """As `kill -9`."""
        self.process.kill()
        self.process.wait()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


class Hooks(Program):
    """The process of the hooks: each of its lives has a history of its own."""

    def __init__(self, folder: Path, name: str, command: list[str]):
        super().__init__(folder, name, command)
        self._always = command
        self._histories: list[Path] = []

    def start(self) -> None:
        """Start it with a new history."""
        path = self._folder / f"hooked-{len(self._histories) + 1}"
        path.touch()
        self._histories.append(path)
        self._command = [*self._always, path.name]
        super().start()

    def note(self, mark: Mark) -> None:
        """Write down, among what the hooks were given, what else happened."""
        with self._histories[-1].open("ab", buffering=0) as history:
            history.write(f"{mark}\n".encode())

    def history(self) -> list[Line]:
        """What the hooks were given in all lives. What a kill left of a line was not confirmed, and does not count."""
        found: list[Line] = []
        for number, path in enumerate(self._histories):
            found += [Mark.HOOK_KILLED] if number else []
            found += [_line(text) for text in path.read_text().split("\n")[:-1]]
        return found


def _line(text: str) -> Line:
    if text == Mark.GATEWAY_KILLED:
        return Mark.GATEWAY_KILLED
    name, device, number = text.split()
    return Given(name, device, int(number))


class Device:
    """A device: its folder, and the process that runs its program over one of its links."""

    def __init__(self, folder: Path, tree: Path, settings: dict[str, Any], links: list[dict[str, Any]]):
        self.name: str = settings["id"]
        self.history = folder / "history"
        self.stuck = False
        self._starts = 0
        self._folder = folder
        self._settings = settings
        self._links = links
        self._command = interpreter() or cpython()
        shutil.copytree(tree, folder)
        shutil.copy(examples_dir() / PROGRAM / "main.py", folder)
        self.history.touch()
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Switch it on, over the first of its links."""
        self._starts += 1
        # What a kill left of a line would otherwise become one with the next.
        written = self.history.read_bytes()
        os.truncate(self.history, written.rfind(b"\n") + 1)
        settings = {**self._settings, "link": self._links[0]}
        (self._folder / "eventhive.json").write_text(json.dumps(settings), encoding="utf-8")
        with (self._folder / "console.txt").open("ab") as console:
            self._process = subprocess.Popen(
                [*self._command, "main.py", self.name, str(self._starts), *["stuck"][: self.stuck]],
                cwd=self._folder,
                env={**os.environ, "MICROPYPATH": f"{self._folder}:.frozen"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Switch it off."""
        self._process.kill()
        self._process.wait()

    def change_link(self) -> None:
        """Let the next start use another link."""
        self._links = self._links[1:] + self._links[:1]

    def finish(self) -> None:
        """Let it call no more events."""
        self._folder.joinpath("over").touch()

    def check(self) -> None:
        """Raise `LocalError` when its program has ended by itself."""
        if self._process.poll() is not None:
            raise LocalError(f"{self.name} has ended: {self._folder}/console.txt says why")

    def acknowledged(self) -> set[int]:
        """The numbers of its history."""
        return {int(line) for line in self.history.read_text().split("\n")[:-1]}


class World:
    """All of it in `folder`; `sabotage` is "none", or how the gateway breaks its promise.

    `disk_problem` says why there is no disk that could be full, empty where there is one.
    """

    def __init__(self, folder: Path, sabotage: str, serial: list[str], hive: HivePorts):
        self.folder = folder
        self.device_port = free_port()
        self.disk_problem = self._mount()
        ports = ", ".join([f"{{port: {port}}}" for port in serial])
        (folder / "gateway.yaml").write_text(_GATEWAY % (hive.gateway, self.device_port, ports), encoding="utf-8")
        module = [sys.executable, "-m"]
        package = __package__ or ""
        self.hive = Program(folder, "hive", [*module, f"{package}.server", str(hive.server)])
        self.hooks = Hooks(folder, "hooks", [*module, f"{package}.hooks", str(hive.hooks)])
        self.gateway = Program(folder, "gateway", [*module, f"{package}.gateway", sabotage, "gateway.yaml"])
        self.devices: list[Device] = []
        self._tree = folder / "tree"
        stage_tree(self._tree, interpreter() is not None)

    def add(self, name: str, links: list[dict[str, Any]]) -> None:
        """Enrol a device, before the gateway is started."""
        key = KeyStore(self.folder / "gateway.keys").add(name, [NETWORK]).key.hex()
        settings = {"id": name, "key": key, "heartbeat": 5, "connectors": {NETWORK: {"input_channel": name}}}
        self.devices.append(Device(self.folder / name, self._tree, settings, links))

    def start(self) -> None:
        """Start everything."""
        for one in (self.hive, self.hooks, self.gateway):
            one.start()
        for device in self.devices:
            device.start()

    def stop(self) -> None:
        """End everything, and unmount."""
        processes: list[Device | Program] = [*self.devices, self.gateway, self.hooks, self.hive]
        for one in processes:
            # What did not start has no process.
            with contextlib.suppress(AttributeError):
                one.kill()
        if not self.disk_problem:
            subprocess.run(["umount", self.folder / STATE], check=False)  # noqa: S607 - wherever this system has it

    def ask(self, command: str) -> Any:
        """What the gateway tells over its control socket; None while it does not answer."""
        try:
            return request(self.folder / "gateway.sock", command, 1.0)[command]
        except (NotRunningError, LocalError, OSError):
            return None

    def fill_disk(self) -> None:
        """Leave no byte free where the spool is."""
        with contextlib.suppress(OSError), (self.folder / STATE / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))

    def free_disk(self) -> None:
        """The reverse."""
        (self.folder / STATE / "filler").unlink(missing_ok=True)

    def usage(self) -> tuple[int, int]:
        """Resident bytes and descriptors of the gateway; zeros where nobody knows (proc(5))."""
        process = Path(f"/proc/{self.gateway.process.pid}")
        try:
            pages = int((process / "statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE"), len(list((process / "fd").iterdir()))
        except OSError:
            return 0, 0

    def _mount(self) -> str:
        state = self.folder / STATE
        state.mkdir()
        if os.geteuid() != 0:
            return "only root can make a disk that is full"
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(state)]
        made = subprocess.run(mount, capture_output=True, text=True, check=False)
        return made.stderr.strip()


def resume(program: Program) -> None:
    """Let a stopped process go on."""
    program.signal(signal.SIGCONT)
