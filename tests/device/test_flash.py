"""`eventhive device flash`: real esptool against a boot loader of ROM's protocol, and a folder as a boot drive."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cabled import CabledBoard

from eventhive.device.tools import find, micropython

Command = Callable[..., "subprocess.CompletedProcess[str]"]

ESP32, ESP32_C3 = 0, 5
RP2040, RP2350, ABSOLUTE = 0xE48BFF56, 0xE48BFF59, 0xE48BFF57
INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"

# What a board of the RP2 family does in `machine.bootloader()`, as far as this machine sees: its drive appears.
MACHINE = """
import os

def bootloader():
    os.system("mkdir DRIVE && cp INFO DRIVE/INFO_UF2.TXT")
    raise SystemExit(5)
"""


def check_error(done: "subprocess.CompletedProcess[str]", code: int, *texts: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert [text for text in texts if text not in last] == [], last


def image(path: Path, chip: int) -> bytes:
    data = bytearray(b"\xff" * 50_000)
    data[0], data[12:14] = 0xE9, chip.to_bytes(2, "little")
    path.write_bytes(data)
    return bytes(data)


def uf2(path: Path, *families: int) -> bytes:
    data = b""
    for number, family in enumerate(families):
        words = (0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, number, len(families), family)
        head = b"".join(word.to_bytes(4, "little") for word in words)
        data += head.ljust(508, b"\0") + (0x0AB16F30).to_bytes(4, "little")
    path.write_bytes(data)
    return data


@pytest.fixture
def chip() -> Iterator[Callable[[str], str]]:
    """A boot loader of a chip, at a pseudo-terminal."""
    processes: list[subprocess.Popen[str]] = []

    def begin(name: str) -> str:
        program = find("esp32-mock-bootloader")
        if program is None:
            pytest.skip("esp32-mock-bootloader is not installed")
        process = subprocess.Popen([program, "run", "--pty", "--chip", name], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout
        return process.stdout.readline().strip()

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.mark.parametrize(("name", "number"), [("esp32", ESP32), ("esp32c3", ESP32_C3)])
def test_an_esp32(tmp_path: Path, chip: Callable[[str], str], eventhive: Command, name: str, number: int) -> None:
    image(tmp_path / "firmware.bin", number)
    done = eventhive("device", "flash", chip(name), "firmware.bin", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "all of it is erased" in done.stderr
    assert "writing: 100 %" in done.stderr
    assert "next: eventhive device up" in done.stderr


def test_another_chip_and_no_consent(tmp_path: Path, chip: Callable[[str], str], eventhive: Command) -> None:
    port = chip("esp32")
    image(tmp_path / "c3.bin", ESP32_C3)
    check_error(eventhive("device", "flash", port, "c3.bin", "-y"), 1, port, "is an ESP32, and c3.bin is for ESP32-C3")
    image(tmp_path / "esp32.bin", ESP32)
    check_error(eventhive("device", "flash", port, "esp32.bin"), 2, "say --yes")


def test_files_that_are_no_firmware(tmp_path: Path, eventhive: Command) -> None:
    for name, text in (("a.bin", "is no image for an ESP32"), ("a.uf2", "is no UF2 file"), ("a.hex", "is neither")):
        (tmp_path / name).write_bytes(b"text" * 200)
        check_error(eventhive("device", "flash", "/dev/no-such", name), 1, f"{name}: {text}")
    check_error(eventhive("device", "flash", "/dev/no-such", "b.bin"), 1, "b.bin: No such file")
    image(tmp_path / "c.bin", ESP32)
    check_error(eventhive("device", "flash", "/dev/no-such", "c.bin"), 1, "/dev/no-such: there is no such port")
    check_error(eventhive("device", "flash", "c.bin"), 2, "which board?")


@pytest.fixture
def drives(tmp_path: Path) -> Path:
    folder = tmp_path / "drives"
    folder.mkdir()
    (tmp_path / "INFO").write_text(INFO)
    return folder


def plug(drives: Path, name: str = "RPI-RP2", text: str = INFO) -> Path:
    (drives / name).mkdir()
    (drives / name / "INFO_UF2.TXT").write_text(text)
    return drives / name


def test_a_drive(tmp_path: Path, drives: Path, eventhive: Command) -> None:
    data = uf2(tmp_path / "pico.uf2", ABSOLUTE, RP2040, RP2040)
    words = "device", "flash", "pico.uf2", "--yes"
    check_error(eventhive(*words, EVENTHIVE_DRIVES=str(drives)), 2, "hold BOOTSEL")
    drive = plug(drives)
    check_error(eventhive(*words[:-1], EVENTHIVE_DRIVES=str(drives)), 2, "say --yes")
    assert list(drive.iterdir()) == [drive / "INFO_UF2.TXT"]
    done = eventhive(*words, EVENTHIVE_DRIVES=str(drives))
    assert done.returncode == 0, done.stderr
    assert (drive / "pico.uf2").read_bytes() == data

    other = plug(drives, "another", INFO.replace("RPI-RP2", "RP2350"))
    check_error(eventhive(*words, EVENTHIVE_DRIVES=str(drives)), 1, "more than one boot drive", "--drive")
    check_error(eventhive(*words, "--drive", other), 1, "is an RP2350, and pico.uf2 is for RP2040")
    uf2(tmp_path / "pico.uf2", ABSOLUTE, RP2350)
    check_error(eventhive(*words, "--drive", drive), 1, "is an RP2040, and pico.uf2 is for RP2350")
    assert eventhive(*words, "--drive", other).returncode == 0
    check_error(eventhive(*words, "--drive", drives), 1, "is no boot drive", "BOOTSEL")


@pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI")
def test_a_board_that_is_told_to_be_a_drive(
    tmp_path: Path, drives: Path, cabled: Callable[..., CabledBoard], eventhive: Command
) -> None:
    data = uf2(tmp_path / "pico.uf2", RP2040)
    (tmp_path / "sim").mkdir()
    program = MACHINE.replace("DRIVE", str(drives / "RPI-RP2")).replace("cp INFO", f"cp {tmp_path / 'INFO'}")
    (tmp_path / "sim/machine.py").write_text(program)
    board = cabled(sim=tmp_path / "sim")
    done = eventhive("device", "flash", board.port, "pico.uf2", "--yes", EVENTHIVE_DRIVES=str(drives))
    assert done.returncode == 0, done.stderr
    assert "restarting as a drive" in done.stderr
    assert (drives / "RPI-RP2/pico.uf2").read_bytes() == data


def test_no_board_and_no_drive(tmp_path: Path, drives: Path, eventhive: Command) -> None:
    uf2(tmp_path / "pico.uf2", RP2040)
    done = eventhive("device", "flash", "/dev/no-such", "pico.uf2", "--yes", EVENTHIVE_DRIVES=str(drives))
    check_error(done, 1, "/dev/no-such: there is no such port", "hold BOOTSEL")
