"""The programs of docs/examples, started and read as its page says.

Changed are only ports, which must be free ones, and how long it takes until the first member of a network knows that it
is the first.
Announcements of the network that is looked up stay on the loopback interface, so that no other machine is in it.
"""

import ast
import re
import shlex
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import DEADLINE, Program

from eventhive.cli.chaos.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PAGE = (EXAMPLES / "README.md").read_text()
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
OUTPUTS = re.findall(r"^```text\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)

Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program of a command of the page."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    ports = {"8085": str(free_port()), "8087": str(free_port())}
    for file in folder.glob("*.yaml"):
        file.write_text(re.sub("|".join(ports), lambda known: ports[known[0]], file.read_text()))
    with (folder / "replicated_dict.yaml").open("a") as file:
        file.write("eventhive: {interfaces: [127.0.0.1]}\n")
    shorten(folder / "replicated_dict.yaml")
    programs: list[Program] = []

    def begin(command: str) -> Program:
        assert command in COMMANDS
        python, *words = shlex.split(command)
        assert python == "python"
        programs.append(Program(words, folder, {}))
        return programs[-1]

    yield begin
    for program in programs:
        program.release()


def shorten(file: Path) -> None:
    """Let the first member look for others for two seconds; on the loopback interface they answer at once."""
    text = file.read_text()
    assert "from_broadcast: 10 " in text
    file.write_text(text.replace("from_broadcast: 10 ", "from_broadcast: 2 "))


def await_server(file: Path) -> None:
    """Wait until somebody listens on the port of a configuration: who has taken over."""
    port = int(re.findall(r"port: (\d+)", file.read_text())[0])
    end = time.monotonic() + DEADLINE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < end, "nobody took over"


def test_every_program_is_on_the_page_and_every_command_is_run() -> None:
    assert {f"python {file.name}" for file in EXAMPLES.glob("*.py")} == set(COMMANDS)
    tested = Path(__file__).read_text()
    assert [command for command in COMMANDS if f'start("{command}")' not in tested] == []


def test_single_process(start: Start) -> None:
    assert start("python single_process.py").end() == OUTPUTS[0]


def test_boss_and_workers(start: Start) -> None:
    worker = start("python worker.py")
    worker.expect("waiting for work")
    for _ in range(2):
        boss = start("python boss.py")
        for line in OUTPUTS[1].splitlines():
            boss.expect(line)
        worker.expect("working on {'flower': 'clover'}")
        worker.expect("working hard on {'flower': 'clover'}")
        boss.end()


def test_replicated_dict(start: Start) -> None:
    first = start("python replicated_dict.py")
    first.expect("nobody else is here")
    first.expect("joined: {}")
    first.tell("colour red")
    second = start("python replicated_dict.py")
    assert second.expect("joined: ") == OUTPUTS[2].splitlines()[0]
    first.tell("shape round")
    assert second.expect("changed: ") == OUTPUTS[2].splitlines()[1]
    second.tell("")
    assert second.expect("{") == OUTPUTS[2].splitlines()[2]
    second.tell("colour")
    first.expect("removed: colour")
    first.kill()
    second.tell("colour blue")
    await_server(first.folder / "replicated_dict.yaml")
    third = start("python replicated_dict.py")
    joined = third.expect("joined: ").partition(" ")[2]
    assert ast.literal_eval(joined) == {"shape": "round", "colour": "blue"}
    third.tell("size 3")
    second.expect("changed: size")
