"""`eventhive demo`, as a user runs it: whole, with a device that is killed, and ended in all the ways there are."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.cli.demo.cable import Cable
from eventhive.cli.demo.tally import Tally, percentile
from eventhive.device.tools import micropython

ROOT = Path(__file__).resolve().parents[1]

# Longer than anything here takes on a busy machine; nothing waits this long when all is well.
DEADLINE_S = 60

INTERPRETER = "micropython" if micropython() else "cpython"
LINKS = {"thermometer-1": "websocket", "thermometer-2": "serial"}
KEYS = {"event", "data", "device", "link", "interpreter", "sealed"}


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, what
        threading.Event().wait(0.02)


def processes() -> list[tuple[int, int, str]]:
    """All processes: id, id of the parent, name."""
    if not Path("/proc/self/stat").exists():
        done = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True)
        lines = [line.split(None, 2) for line in done.stdout.splitlines()]
        return [(int(pid), int(parent), name) for pid, parent, name in lines]
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = path.read_text().partition(" (")
        except OSError:
            continue
        name, _, numbers = rest.rpartition(") ")
        if not numbers.startswith("Z"):
            found.append((int(pid), int(numbers.split()[1]), name))
    return found


class Demo:
    """A demo in a process of its own; `folder` is where it may leave nothing."""

    def __init__(self, folder: Path, *words: str, command: "tuple[str, ...]" = ("-m", "eventhive", "demo")):
        self.folder = folder
        self.events: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, *command, *words],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect(self, condition: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """Read events until one meets a condition."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if condition(self.events[-1]):
                return self.events[-1]
        raise AssertionError(f"no {what} among {self.events}")

    def children(self) -> dict[int, str]:
        return {pid: name for pid, parent, name in processes() if parent == self.process.pid}

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait until it has ended; exit code and what it wrote that was not read yet."""
        children = self.children()
        out, err = self.process.communicate(timeout=DEADLINE_S)
        assert not set(children) & {pid for pid, _, _ in processes()}
        assert list(self.folder.iterdir()) == []
        assert "Traceback" not in err
        return self.process.returncode, out, err


@pytest.fixture
def demo() -> Iterator[Callable[..., Demo]]:
    """Start demos: `demo("--json")`."""
    # Not pytest's folder: the path of a socket must be short.
    with tempfile.TemporaryDirectory() as folder:
        started: list[Demo] = []

        def start(*words: str, **options: Any) -> Demo:
            started.append(Demo(Path(folder), *words, **options))
            return started[-1]

        yield start
        for one in started:
            if one.process.poll() is None:
                one.send(signal.SIGTERM)
                one.process.communicate(timeout=DEADLINE_S)


def is_reading(event: dict[str, Any]) -> bool:
    return event.get("event") == "my-hive/demo/temperature"


def check_events(events: list[dict[str, Any]], interpreter: str) -> None:
    for event in events:
        assert set(event) == KEYS
        assert event["link"] == LINKS[event["device"]]
        assert event["sealed"] is True
        assert event["interpreter"] == interpreter
        assert event["data"]["device"] == event["device"]
    assert {event["device"] for event in events} == set(LINKS)


def numbers(events: list[dict[str, Any]], device: str, start: int = 1) -> list[int]:
    return [event["data"]["n"] for event in events if event["device"] == device and event["data"]["start"] == start]


def test_json(demo: Callable[..., Demo]) -> None:
    code, out, err = demo("--duration", "4", "--json").end()
    assert code == 0, err
    *events, last = [json.loads(line) for line in out.splitlines()]
    check_events(events, INTERPRETER)
    for device in LINKS:
        seen = numbers(events, device)
        assert seen == list(range(1, len(seen) + 1))
        readings = [event["data"] for event in events if event["device"] == device and is_reading(event)]
        units = [next(key for key in ("celsius", "fahrenheit") if key in data) for data in readings]
        answers = [index for index, data in enumerate(readings) if "command" in data]
        assert answers
        # Each command changed what follows.
        changes = [index for index in range(1, len(units)) if units[index] != units[index - 1]]
        assert changes == answers
    summary = last["summary"]
    assert list(last) == ["summary"]
    assert set(summary) == {"sent", "received", "lost", "commands_answered", "p50_ms", "p99_ms"}
    assert summary["sent"] == summary["received"] == len(events)
    assert summary["lost"] == 0
    assert summary["commands_answered"] == sum("command" in event["data"] for event in events)
    assert 0 < summary["p50_ms"] <= summary["p99_ms"]


@pytest.mark.parametrize("link", ["websocket", "serial"])
def test_a_killed_device(demo: Callable[..., Demo], link: str) -> None:
    running = demo("--json")
    lost, other = sorted(LINKS, key=lambda device: LINKS[device] != link)
    for device in LINKS:
        running.expect(lambda event, device=device: is_reading(event) and event["device"] == device, "reading")
    children = running.children()
    if INTERPRETER == "micropython" and sys.platform == "linux":
        assert list(children.values()) == ["micropython"] * 2
    # Switched on in this order.
    os.kill(sorted(children)[list(LINKS).index(lost)], signal.SIGKILL)
    running.expect(lambda event: event["device"] == lost and event["data"]["start"] == 2, "second start")
    running.expect(lambda event: event["device"] == other, "event of the other device")
    running.send(signal.SIGINT)
    code, out, err = running.end()
    assert code == 0, err
    assert f"{lost} is lost: its process" in err
    assert f"({link}) was killed by SIGKILL" in err
    *events, last = [*running.events, *map(json.loads, out.splitlines())]
    check_events(events, INTERPRETER)
    seen = numbers(events, other)
    assert seen == list(range(1, len(seen) + 1))
    assert last["summary"]["lost"] == 0
    assert last["summary"]["received"] == len(events)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_for_a_person(demo: Callable[..., Demo], number: int) -> None:
    running = demo()
    assert running.process.stdout is not None
    for line in running.process.stdout:
        if "-> command" in line:
            break
    running.send(number)
    code, out, err = running.end()
    assert code == 0
    assert err == ""
    assert "lost 0\n" in out
    assert "commands were answered" in out


def test_an_end_before_it_began(demo: Callable[..., Demo]) -> None:
    running = demo("--json")
    wait_until(lambda: list(running.folder.iterdir()) or running.process.poll() is not None, "it does not begin")
    running.send(signal.SIGINT)
    code, out, err = running.end()
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["summary"]["lost"] == 0


def test_devices_do_not_outlive_a_demo_that_is_killed(demo: Callable[..., Demo]) -> None:
    running = demo("--json")
    for device in LINKS:
        running.expect(lambda event, device=device: is_reading(event) and event["device"] == device, "reading")
    children = running.children()
    assert len(children) == 2
    running.send(signal.SIGKILL)
    running.process.communicate()
    wait_until(lambda: not set(children) & {pid for pid, _, _ in processes()}, "the devices go on")


def test_on_cpython(demo: Callable[..., Demo]) -> None:
    code, out, err = demo("--duration", "1", "--json", "--cpython").end()
    assert code == 0, err
    assert "NOT on MicroPython" in err
    check_events([json.loads(line) for line in out.splitlines()[:-1]], "cpython")


# An interpreter that does not run.
BROKEN = """
import sys
from eventhive.cli.demo import bench
from eventhive.cli.main import main
bench.interpreter = lambda: ["sh", "-c", "echo no such machine >&2; exit 3"]
sys.exit(main(["demo"]))
"""


def test_devices_that_do_not_start(demo: Callable[..., Demo]) -> None:
    code, out, err = demo(command=("-c", BROKEN)).end()
    assert code == 1
    assert out.count("ended with exit code 3: no such machine; it is started again") == 4
    assert out.count("it is left alone, after 3 attempts") == 2
    assert err == ""


def test_a_wrong_duration(demo: Callable[..., Demo]) -> None:
    code, out, err = demo("--duration", "soon").end()
    assert (code, out) == (2, "")
    assert "argument --duration: 'soon': a number of seconds above 0 is needed" in err


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Both ends of a cable, open."""
    cable = Cable()
    first, second = (os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for path in cable.ends)
    yield first, second
    os.close(first)
    os.close(second)
    cable.close()


def read(end: int, size: int) -> bytes:
    got = bytearray()

    def enough() -> bool:
        with contextlib.suppress(BlockingIOError):
            got.extend(os.read(end, 4096))
        return len(got) >= size

    wait_until(enough, f"only {bytes(got)!r} arrived")
    return bytes(got)


def test_a_cable_carries_all_bytes(ends: tuple[int, int]) -> None:
    os.write(ends[0], bytes(range(256)))
    assert read(ends[1], 256) == bytes(range(256))


def test_a_cable_loses_what_nobody_reads(ends: tuple[int, int]) -> None:
    for _ in range(200):
        with contextlib.suppress(BlockingIOError):
            os.write(ends[0], bytes(1000))
    os.write(ends[1], b"back")
    assert read(ends[0], 4) == b"back"


class TestTally:
    def test_what_a_device_reports_counts(self) -> None:
        tally = Tally()
        for number in (1, 2, 2, 4):
            tally.arrived(("a", 1), number)
        tally.reported(("a", 1), 5)
        summary = tally.summary()
        assert (summary["sent"], summary["received"], summary["lost"]) == (5, 3, 2)

    def test_of_a_killed_one_the_highest_number_counts(self) -> None:
        tally = Tally()
        for number in (1, 3):
            tally.arrived(("a", 1), number)
        tally.arrived(("a", 2), 1)
        tally.reported(("a", 2), 1)
        summary = tally.summary()
        assert (summary["sent"], summary["received"], summary["lost"]) == (4, 3, 1)

    def test_a_command_is_answered_once(self) -> None:
        tally = Tally()
        tally.asked(1, 10.0)
        tally.asked(2, 10.0)
        assert tally.answered(1, 10.5) == 500
        assert tally.answered(1, 10.9) is None
        summary = tally.summary()
        assert summary["commands_answered"] == 1
        assert summary["p50_ms"] == summary["p99_ms"] == 500

    def test_percentiles(self) -> None:
        assert percentile([], 0.5) is None
        assert percentile([3.0, 1.0, 2.0], 0.5) == 2
        assert percentile([float(n) for n in range(1, 101)], 0.99) == 99
        assert percentile([float(n) for n in range(1, 11)], 0.99) == 10
