"""The command line: help, exit codes, and a gateway that devices are enrolled at while it runs."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventhive.cli.output import printable
from eventhive.core.version import VERSION
from eventhive.gateway.control import request

CONFIG = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: gateway}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
"""

# Longer than anything here takes on a busy machine; nothing waits this long when all is well.
DEADLINE_S = 60


def eventhive(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "eventhive", *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=DEADLINE_S)


def check_error(done: "subprocess.CompletedProcess[str]", code: int, *parts: str) -> None:
    """It ended with this exit code and one line on stderr that has these parts."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert all(part in lines[0] for part in parts), lines[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    return tmp_path


class Gateway:
    """A gateway in a process of its own, ready."""

    def __init__(self, folder: Path):
        command = [sys.executable, "-m", "eventhive", "gateway", "--log-level", "warning"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()

    def end(self, number: int) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, err


@pytest.fixture
def gateway(folder: Path) -> Iterator[Gateway]:
    gateway = Gateway(folder)
    yield gateway
    if gateway.process.poll() is None:
        gateway.end(signal.SIGKILL)


def test_version(tmp_path: Path) -> None:
    assert eventhive("--version", cwd=tmp_path).stdout == f"eventhive {VERSION}\n"


@pytest.mark.parametrize(
    "words", ["", "gateway", "device", "device add", "device list", "device stage", "device up", "device flash"]
)
def test_help(tmp_path: Path, words: str) -> None:
    done = eventhive(*words.split(), "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: eventhive")


@pytest.mark.parametrize("words", [[], ["fly"], ["device"], ["device", "add"], ["gateway", "--port", "1"], ["--fly"]])
def test_wrong_usage(tmp_path: Path, words: list[str]) -> None:
    done = eventhive(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: eventhive")


def test_help_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    code = "import sys, eventhive.cli.main as m\ntry:\n m.main(['--help'])\nexcept SystemExit:\n print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=DEADLINE_S
    )
    loaded = set(done.stdout.split("\n")[-2].split())
    assert not loaded & {"websockets", "yaml", "zeroconf", "Crypto", "serial", "eventhive.gateway.daemon"}


CONFIGURED = [["gateway"], ["device", "add", "a"], ["device", "list"], ["device", "remove", "a"]]


@pytest.mark.parametrize("command", CONFIGURED)
class TestConfiguration:
    def test_no_file(self, tmp_path: Path, command: list[str]) -> None:
        check_error(eventhive(*command, cwd=tmp_path), 1, "gateway.yaml", "No such file")

    def test_no_gateway_section(self, tmp_path: Path, command: list[str]) -> None:
        (tmp_path / "hive.yaml").write_text("connectors: {}")
        check_error(eventhive(*command, "--config", "hive.yaml", cwd=tmp_path), 1, "hive.yaml", "no 'gateway:' section")

    def test_unknown_key(self, tmp_path: Path, command: list[str]) -> None:
        (tmp_path / "gateway.yaml").write_text("gateway:\n  websockets: {}")
        check_error(eventhive(*command, cwd=tmp_path), 1, "gateway.yaml:2:3: ", "websockets")


class TestAdd:
    def test_without_a_gateway(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text(CONFIG.replace("port: 0", "port: 8999, endpoint: /boards"))
        done = eventhive("device", "add", "sensor-1", "--host", "192.0.2.7", cwd=folder)
        assert done.returncode == 0, done.stderr
        settings = json.loads(done.stdout)
        entry = json.loads((folder / "gateway.keys").read_text())["sensor-1"]
        assert re.fullmatch("[0-9a-f]{64}", entry["key"])
        assert settings == {
            "id": "sensor-1",
            "key": entry["key"],
            "link": {"type": "websocket", "host": "192.0.2.7", "port": 8999, "endpoint": "/boards"},
            "connectors": {"my-hive": {"input_channel": "sensor-1"}},
        }
        assert entry["publish"] == ["my-hive/*/*"]
        assert entry["receive"] == ["sensor-1/*"]
        assert entry["key"] not in done.stderr
        assert "no gateway is running" in done.stderr

    def test_a_serial_link(self, folder: Path) -> None:
        done = eventhive("device", "add", "sensor-1", "--serial", "/dev/ttyS1", cwd=folder)
        assert json.loads(done.stdout)["link"] == {"type": "serial", "device": "/dev/ttyS1", "baudrate": 115200}
        assert "opens no serial port" in done.stderr

    def test_links_over_ports_of_a_board(self, folder: Path) -> None:
        links = {"--usb": {"type": "usb"}, "--uart=1": {"id": 1}, "--uart=0,4,5": {"id": 0, "tx": 4, "rx": 5}}
        for number, (option, link) in enumerate(links.items()):
            done = eventhive("device", "add", f"sensor-{number}", option, cwd=folder)
            common = {} if option == "--usb" else {"type": "uart", "baudrate": 115200}
            assert json.loads(done.stdout)["link"] == {**common, **link}
        check_error(eventhive("device", "add", "a", "--uart", "x", cwd=folder), 2, "--uart x", "1,4,5")
        check_error(eventhive("device", "add", "a", "--uart", "1,2", cwd=folder), 2, "--uart 1,2")

    def test_the_speed_of_the_gateways_port(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text(CONFIG + "  serial: [{port: /dev/null, baudrate: 57600}]")
        done = eventhive("device", "add", "sensor-1", "--serial", "/dev/ttyS1", cwd=folder)
        assert json.loads(done.stdout)["link"]["baudrate"] == 57600
        assert "opens no serial port" not in done.stderr

    def test_an_address_that_boards_reach(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text(CONFIG.replace("127.0.0.1, port: 0", "192.0.2.8, port: 1"))
        assert json.loads(eventhive("device", "add", "a", cwd=folder).stdout)["link"]["host"] == "192.0.2.8"
        (folder / "gateway.yaml").write_text(CONFIG.replace("127.0.0.1, port: 0", "0.0.0.0, port: 1"))
        assert json.loads(eventhive("device", "add", "b", cwd=folder).stdout)["link"]["host"] != "0.0.0.0"

    def test_loopback_is_pointed_out(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text(CONFIG.replace("port: 0", "port: 1"))
        done = eventhive("device", "add", "sensor-1", cwd=folder)
        assert json.loads(done.stdout)["link"]["host"] == "127.0.0.1"
        assert "no board reaches it" in done.stderr

    def test_into_a_file(self, folder: Path) -> None:
        done = eventhive("device", "add", "sensor-1", "--host", "h", "--serial", "d", "-o", "board.json", cwd=folder)
        assert (done.returncode, done.stdout) == (0, "")
        assert json.loads((folder / "board.json").read_text())["id"] == "sensor-1"
        assert stat.S_IMODE((folder / "board.json").stat().st_mode) == 0o600

    def test_a_file_that_is_there_is_kept_and_no_key_made(self, folder: Path) -> None:
        (folder / "board.json").write_text("precious")
        done = eventhive("device", "add", "a", "--serial", "d", "-o", "board.json", cwd=folder)
        assert done.returncode == 1
        assert "board.json: exists already" in done.stderr
        assert (folder / "board.json").read_text() == "precious"
        assert not (folder / "gateway.keys").exists()

    def test_a_second_time(self, folder: Path) -> None:
        assert eventhive("device", "add", "a", "--serial", "d", cwd=folder).returncode == 0
        done = eventhive("device", "add", "a", "--serial", "d", "-o", "board.json", cwd=folder)
        assert done.returncode == 1
        assert "already" in done.stderr
        assert not (folder / "board.json").exists()

    def test_a_bad_name(self, folder: Path) -> None:
        done = eventhive("device", "add", "a/b\x1b[2J", "--serial", "d", cwd=folder)
        assert done.returncode == 1
        assert "1 to 32 letters" in done.stderr
        assert "\x1b" not in done.stderr

    def test_port_0_is_known_to_a_running_gateway_only(self, folder: Path) -> None:
        check_error(eventhive("device", "add", "a", "--host", "h", cwd=folder), 1, "start the gateway first")

    def test_without_networks(self, tmp_path: Path) -> None:
        (tmp_path / "gateway.yaml").write_text("gateway: {}")
        check_error(eventhive("device", "add", "a", cwd=tmp_path), 1, "gateway.yaml", "no 'connectors:'")


class TestListAndRemove:
    def test_nothing_yet(self, folder: Path) -> None:
        done = eventhive("device", "list", cwd=folder)
        assert (done.returncode, done.stdout) == (0, "")
        assert "eventhive device add NAME" in done.stderr
        assert json.loads(eventhive("device", "list", "--json", cwd=folder).stdout) == []

    def test_devices_without_a_gateway(self, folder: Path) -> None:
        eventhive("device", "add", "b", "--serial", "d", cwd=folder)
        eventhive("device", "add", "a", "--serial", "d", cwd=folder)
        done = eventhive("device", "list", cwd=folder)
        assert [line.split()[:2] for line in done.stdout.splitlines()] == [["a", "unknown"], ["b", "unknown"]]
        rows = json.loads(eventhive("device", "list", "--json", cwd=folder).stdout)
        assert [(row["name"], row["online"]) for row in rows] == [("a", None), ("b", None)]
        assert [row["receive"] for row in rows] == [["a/*"], ["b/*"]]
        assert "key" not in rows[0]

    def test_remove(self, folder: Path) -> None:
        eventhive("device", "add", "a", "--serial", "d", cwd=folder)
        assert eventhive("device", "remove", "a", cwd=folder).returncode == 0
        assert json.loads((folder / "gateway.keys").read_text()) == {}
        check_error(eventhive("device", "remove", "a", cwd=folder), 1, "'a' is not in")


class TestRekey:
    def test_a_file_keeps_what_else_is_in_it(self, folder: Path) -> None:
        eventhive("device", "add", "a", "--serial", "d", "--output", "a.json", cwd=folder)
        before = json.loads((folder / "a.json").read_text())
        (folder / "a.json").write_text(json.dumps({**before, "wifi": {"ssid": "home"}}))
        done = eventhive("device", "rekey", "a", "--file", "a.json", cwd=folder)
        assert done.returncode == 0
        after = json.loads((folder / "a.json").read_text())
        assert {**before, "wifi": {"ssid": "home"}, "key": after["key"], "keygen": 1} == after
        assert stat.S_IMODE((folder / "a.json").stat().st_mode) == 0o600
        entry = json.loads((folder / "gateway.keys").read_text())["a"]
        assert (entry["key"], entry["keygen"], entry["next_key"]) == (before["key"], 0, after["key"])
        assert after["key"] not in done.stdout + done.stderr
        assert "the old key is good until the board uses the new one" in done.stderr

    def test_without_a_file(self, folder: Path) -> None:
        eventhive("device", "add", "a", "--serial", "d", cwd=folder)
        done = eventhive("device", "rekey", "a", cwd=folder)
        entry = json.loads((folder / "gateway.keys").read_text())["a"]
        assert json.loads(done.stdout) == {"key": entry["next_key"], "keygen": 1}

    def test_what_is_refused(self, folder: Path) -> None:
        check_error(eventhive("device", "rekey", "a", cwd=folder), 1, "'a' is not in")
        eventhive("device", "add", "a", "--serial", "d", "--output", "a.json", cwd=folder)
        eventhive("device", "add", "b", "--serial", "d", cwd=folder)
        done = eventhive("device", "rekey", "b", "--file", "a.json", cwd=folder)
        check_error(done, 1, "a.json: is not the eventhive.json of 'b'")
        check_error(eventhive("device", "rekey", "b", "--file", "c.json", cwd=folder), 1, "c.json: No such file")
        assert "next_key" not in (folder / "gateway.keys").read_text()


class TestGateway:
    def test_one_line_when_ready(self, gateway: Gateway, folder: Path) -> None:
        assert re.fullmatch(
            r"eventhive gateway: ready: devices at ws://127\.0\.0\.1:[1-9]\d*/device, network my-hive; control .*\n",
            gateway.ready,
        )

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_clean_end(self, gateway: Gateway, folder: Path, number: int) -> None:
        assert gateway.end(number) == (0, "", "")
        assert not (folder / "gateway.sock").exists()

    def test_enrolment_without_a_restart(self, gateway: Gateway, folder: Path) -> None:
        done = eventhive("device", "add", "sensor-1", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "the running gateway knows" in done.stderr
        assert f":{json.loads(done.stdout)['link']['port']}/" in gateway.ready
        assert names(folder) == ["sensor-1"]
        rows: list[dict[str, Any]] = json.loads(eventhive("device", "list", "--json", cwd=folder).stdout)
        assert [(row["name"], row["online"]) for row in rows] == [("sensor-1", False)]
        assert "sensor-1  away" in eventhive("device", "list", cwd=folder).stdout
        eventhive("device", "remove", "sensor-1", cwd=folder)
        assert names(folder) == []

    def test_a_second_gateway(self, gateway: Gateway, folder: Path) -> None:
        done = eventhive("gateway", "--log-level", "error", cwd=folder)
        check_error(done, 1, "gateway.sock", "already running")

    def test_a_key_file_that_others_may_read(self, folder: Path) -> None:
        (folder / "gateway.keys").write_text("{}")
        (folder / "gateway.keys").chmod(0o644)
        done = eventhive("gateway", "--log-level", "error", cwd=folder)
        check_error(done, 1, "chmod 600")

    def test_a_key_file_that_breaks_while_it_runs(self, gateway: Gateway, folder: Path) -> None:
        (folder / "gateway.keys").write_text("{}")
        (folder / "gateway.keys").chmod(0o644)
        done = eventhive("device", "add", "a", cwd=folder)
        assert done.returncode == 1
        assert "chmod 600" in done.stderr
        assert request(folder / "gateway.sock", "ping")["pid"] == gateway.process.pid


def names(folder: Path) -> list[str]:
    """The devices that the running gateway has taken over from its key file."""
    return [device["name"] for device in request(folder / "gateway.sock", "devices")["devices"] if device["enrolled"]]


class TestStage:
    def test_the_files_are_listed(self, tmp_path: Path) -> None:
        done = eventhive("device", "stage", "board", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        listed = [line.split()[1] for line in done.stdout.splitlines()[:-1]]
        assert "eventhive/core/session.py" in listed
        board = tmp_path / "board"
        found = [path.relative_to(board).as_posix() for path in board.glob("eventhive/**/*") if path.is_file()]
        assert set(listed) == set(found)

    def test_a_folder_with_something_else_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "eventhive").mkdir()
        (tmp_path / "eventhive" / "mine.txt").write_text("precious")
        check_error(eventhive("device", "stage", ".", cwd=tmp_path), 1, "mine.txt", "another folder")
        assert [path.name for path in (tmp_path / "eventhive").iterdir()] == ["mine.txt"]


def test_control_characters_are_written_out() -> None:
    assert printable("a\x1b[2J\nb\x00ü") == "a\\x1b[2J\\nb\\x00ü"
