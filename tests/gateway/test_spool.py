"""The gateway's spool, with real processes: outages, restarts, quotas, names that nobody hooks."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.cli.chaos.ports import free_port
from eventhive.cli.chaos.world import Program
from eventhive.gateway.control import request
from eventhive.gateway.keys import KeyStore

# Beyond this, it does not come any more. A connector tries again after 5 s at most.
SECONDS = 60.0

GATEWAY = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: gateway, %s init: {host: 127.0.0.1, port: %d}}
gateway:
  websocket: {host: 127.0.0.1, port: %d}
  spool: {%s}
"""

HOOK = """
import os, sys
import eventhive

eventhive.CONFIG.read_string('''
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen, init: {host: 127.0.0.1, port: %d}}
''')
file = os.open("hooked", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for name in sys.argv[1:]:
    @eventhive.hook(name)
    def taken(data):
        os.write(file, b"%%d\\n" %% data["n"])
eventhive.init()
print("ready", flush=True)
eventhive.run_forever()
"""


class Place:
    """A folder with a gateway, the server of its network, a process with hooks, and a device in this process."""

    def __init__(self, folder: Path, delivery: str = "delivery: once,", spool: str = ""):
        self.folder = folder
        self.hive_port, self.port = free_port(), free_port()
        (folder / "gateway.yaml").write_text(GATEWAY % (delivery, self.hive_port, self.port, spool))
        (folder / "hook.py").write_text(HOOK % self.hive_port)
        (folder / "hooked").touch()
        KeyStore(folder / "gateway.keys").add("a", ["my-hive"])
        python = sys.executable
        self.hive = Program(folder, "hive", [python, "-m", "eventhive.cli.chaos.server", str(self.hive_port)])
        self.gateway = Program(folder, "gateway", [python, "-m", "eventhive", "gateway"])
        self.hooks = self.hooking("queen/a", "queen/b")
        self.started: list[Program] = []

    def hooking(self, *names: str) -> Program:
        return Program(self.folder, "hooks", [sys.executable, "hook.py", *names])

    def start(self, *programs: Program) -> None:
        for program in programs:
            program.start()
            self.started.append(program)

    def stop(self) -> None:
        for program in self.started:
            program.kill()

    def send(self, *numbers: int, name: str = "a") -> int:
        """Have a device send events and wait for their acknowledgement; returns how many were.

        It gives up at the first one that is not within two seconds.
        """
        key = KeyStore(self.folder / "gateway.keys").load()["a"].key.hex()
        link = {"type": "websocket", "host": "127.0.0.1", "port": self.port}
        settings = {"id": "a", "key": key, "link": link, "connectors": {"my-hive": {"input_channel": "a"}}}
        board = self.folder / "board"
        if not board.exists():
            command = [sys.executable, "-m", "eventhive", "device", "stage", str(board)]
            subprocess.run(command, check=True, capture_output=True)
        (board / "eventhive.json").write_text(json.dumps(settings))
        program = """
import asyncio, eventhive, sys
eventhive.init()
async def main():
    sent = 0
    for n in sys.argv[2:]:
        if not await eventhive.send("my-hive/queen/" + sys.argv[1], {"n": int(n)}, 2):
            break
        sent += 1
    print("acknowledged", sent)
    eventhive.stop()
asyncio.run(eventhive.run(main()))
"""
        command = [sys.executable, "-c", program, name, *map(str, numbers)]
        done = subprocess.run(command, cwd=board, capture_output=True, text=True, timeout=60, check=False)
        assert "acknowledged" in done.stdout, done.stdout + done.stderr
        return int(done.stdout.partition("acknowledged ")[2].split()[0])

    @property
    def hooked(self) -> list[int]:
        return [int(line) for line in (self.folder / "hooked").read_text().split()]

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = request(self.folder / "gateway.sock", "networks")["networks"]["my-hive"]
        return found

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()


def wait(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.02)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    places = []

    def made(*arguments: str) -> Place:
        places.append(Place(tmp_path, *arguments))
        return places[-1]

    yield made
    for place in places:
        place.stop()


@pytest.mark.parametrize("delivery", ["", "delivery: once,"])
def test_an_outage_of_the_hive_and_kill_9(make: Callable[..., Place], delivery: str) -> None:
    place = make(delivery)
    place.start(place.gateway)
    assert place.send(1, 2, 3) == 3
    assert place.state["events"] == 3
    wait(lambda: "network my-hive is away: events for it are kept in the spool" in place.log(), place.log)
    place.gateway.kill()
    place.gateway.start()
    assert place.send(4) == 1
    place.start(place.hive, place.hooks)
    if delivery:
        wait(lambda: place.hooked == [1, 2, 3, 4], lambda: (place.hooked, place.state, place.log()))
    # Without `once`, the server has them: who hooks them later is too late.
    wait(lambda: place.state["events"] == 0, lambda: (place.state, place.log()))


def test_a_name_that_nobody_hooks_holds_up_no_other(make: Callable[..., Place]) -> None:
    place = make()
    place.start(place.hive, place.gateway)
    only_b = place.hooking("queen/b")
    place.start(only_b)
    assert place.send(1, 2, name="a") == 2
    assert place.send(3, name="b") == 1
    wait(lambda: place.hooked == [3], lambda: (place.hooked, place.state, place.log()))
    assert place.state["unhooked"] == ["my-hive/queen/a"]
    assert "nobody hooks my-hive/queen/a: its events wait in the spool" in place.log()
    only_b.kill()
    place.start(place.hooks)
    wait(lambda: place.hooked == [3, 1, 2], lambda: (place.hooked, place.state, place.log()))
    wait(lambda: place.state["events"] == 0, lambda: place.state)


@pytest.mark.parametrize(
    ("policy", "acknowledged", "kept"),
    [("refuse", False, "first"), ("oldest", True, "last"), ("newest", True, "first")],
)
def test_a_quota(make: Callable[..., Place], policy: str, acknowledged: bool, kept: str) -> None:
    place = make("delivery: once,", f"quota: 65536, policy: {policy}")
    place.start(place.gateway)
    filled = 0
    while "of the spool are full" not in place.log():
        filled += place.send(*range(filled + 1, filled + 301))
    assert place.send(100_001) == int(acknowledged)
    assert "its 65536 bytes of the spool are full" in place.log()
    assert bool(place.state["dropped"]) == acknowledged
    place.start(place.hive, place.hooks)
    wait(lambda: place.state["events"] == 0 and not place.state["refused"], lambda: (place.state, place.log()))
    hooked = place.hooked
    assert hooked == sorted(set(hooked))
    assert (hooked[0] == 1) == (kept == "first")
    if policy == "newest":
        assert 100_001 not in hooked


def test_a_stop_and_a_start_keep_the_marks(make: Callable[..., Place]) -> None:
    place = make()
    place.start(place.hive, place.hooks, place.gateway)
    assert place.send(*range(1, 20)) == 19
    place.gateway.signal(signal.SIGTERM)
    place.gateway.process.wait(SECONDS)
    place.gateway.start()
    assert place.send(20) == 1
    wait(lambda: place.hooked == list(range(1, 21)), lambda: place.hooked)


def test_a_deleted_file_costs_what_was_in_it_alone(make: Callable[..., Place]) -> None:
    place = make()
    place.start(place.gateway)
    assert place.send(1, 2) == 2
    place.gateway.kill()
    for path in place.folder.glob("gateway.spool*"):
        path.unlink()
    place.start(place.hive, place.hooks)
    place.gateway.start()
    assert place.send(3, 4) == 2
    wait(lambda: place.hooked == [3, 4], lambda: place.hooked)


def test_an_older_copy_comes_again_and_is_recognised(make: Callable[..., Place]) -> None:
    place = make()
    place.start(place.gateway)
    assert place.send(1, 2) == 2
    place.gateway.kill()
    copies = {path: path.read_bytes() for path in place.folder.glob("gateway.spool*")}
    place.start(place.hive, place.hooks)
    place.gateway.start()
    wait(lambda: place.hooked == [1, 2], lambda: place.hooked)
    place.gateway.kill()
    for path in place.folder.glob("gateway.spool*"):
        path.unlink()
    for path, data in copies.items():
        path.touch(0o600)
        path.write_bytes(data)
    place.gateway.start()
    wait(lambda: place.state["events"] == 0, lambda: place.state)
    assert place.send(3) == 1
    wait(lambda: place.hooked == [1, 2, 3], lambda: place.hooked)
