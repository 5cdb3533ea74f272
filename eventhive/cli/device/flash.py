"""`eventhive device flash`: put MicroPython on a board."""

import argparse
from pathlib import Path
from typing import Any

from ...boards import board, esp, ports, uf2
from ...core.errors import LocalError
from ..asking import ask, is_somebody_there
from ..ending import UsageError
from ..output import say
from .borrowing import add_gateway, borrowed_from
from .progress import Progress
from .shared import action

_EXAMPLES = """\
Take the file for your board from https://micropython.org/download: a .bin for an ESP32, a .uf2 for a Pico.

examples:
  eventhive device flash /dev/ttyUSB0 ESP32_GENERIC-20250415-v1.25.0.bin
  eventhive device flash /dev/ttyACM0 RPI_PICO_W-20250415-v1.25.0.uf2      with MicroPython on it already
  eventhive device flash RPI_PICO_W-20250415-v1.25.0.uf2                   hold BOOTSEL while you plug it in

A .bin erases the whole chip, files included. A .uf2 replaces the firmware, and the files stay. Boot drives are looked
for where your system mounts drives, or in the folders that the variable EVENTHIVE_DRIVES names.
"""


def configure(actions: Any) -> None:
    """Add the command."""
    command = action(actions, "flash", "put MicroPython on a board: a .bin or a .uf2", run, _EXAMPLES)
    command.add_argument("port", metavar="PORT", nargs="?", help="of the board; not needed for one that is a drive")
    command.add_argument("firmware", metavar="FIRMWARE", type=Path, help="the file: .bin for an ESP32, .uf2 for a Pico")
    command.add_argument("--drive", type=Path, metavar="DIR", help="where its boot drive is mounted (looked for)")
    add_gateway(command)
    command.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Look at the file and at the chip, ask, write."""
    path = arguments.firmware
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None
    if path.suffix == ".uf2":
        return _flash_uf2(arguments, path, data)
    if path.suffix != ".bin":
        raise LocalError(f"{path}: is neither a .bin (for an ESP32) nor a .uf2 (for a Pico)")
    return _flash_esp(arguments, path, data)


def _flash_esp(arguments: argparse.Namespace, path: Path, data: bytes) -> int:
    if not arguments.port:
        raise UsageError("which board? eventhive device flash PORT FIRMWARE; 'eventhive device ports' shows them")
    number = esp.check_image(path, data)
    progress: list[Progress] = []
    done = 0

    def told(now: int, total: int) -> None:
        nonlocal done
        if not progress:
            progress.append(Progress("writing", total))
        progress[0].step(now - done)
        done = now

    with borrowed_from(arguments.gateway, arguments.port), esp.connect(arguments.port, told) as chip:
        esp.check_chip(arguments.port, chip, path, number)
        _confirm(arguments, f"{arguments.port} is an {chip.CHIP_NAME}; all of it is erased, its files included")
        say("erasing, which takes up to a minute, then writing")
        esp.write(chip, path)
    _finish(path)
    return 0


def _flash_uf2(arguments: argparse.Namespace, path: Path, data: bytes) -> int:
    families = uf2.check_file(path, data)
    found = [uf2.at(arguments.drive)] if arguments.drive else uf2.drives()
    if len(found) > 1:
        names = ", ".join(str(drive.path) for drive in found)
        raise LocalError(f"there is more than one boot drive: {names}: name one with --drive")
    if found:
        uf2.check_drive(found[0], path, families)
        _confirm(arguments, f"the firmware of the board at {found[0].path} is replaced; its files stay")
    elif arguments.port and ports.is_remote(arguments.port):
        raise LocalError(f"{arguments.port}: a .uf2 is copied to a drive: run this where the board is plugged in")
    elif arguments.port:
        _confirm(arguments, f"the firmware of the board at {arguments.port} is replaced; its files stay")
        _restart_as_drive(arguments.port, arguments.gateway)
        found = [uf2.wait()]
        uf2.check_drive(found[0], path, families)
    else:
        raise UsageError("there is no boot drive: hold BOOTSEL while you plug the board in, or give its PORT")
    uf2.copy(found[0], path, data, Progress("writing", len(data)).step)
    _finish(path)
    return 0


def _restart_as_drive(port: str, gateway: str) -> None:
    try:
        with borrowed_from(gateway, port), board.connect(port) as one:
            say(f"{port}: restarting as a drive")
            one.start("import machine\nmachine.bootloader()")
    except LocalError as error:
        raise LocalError(f"{error}; or hold BOOTSEL while you plug the board in, and leave PORT out") from None


def _confirm(arguments: argparse.Namespace, what: str) -> None:
    say(what)
    if arguments.yes:
        return
    if not is_somebody_there():
        raise UsageError("nobody is asked here: say --yes if that is what you want")
    if ask("go on? [y/N] ").lower() not in ("y", "yes"):
        raise LocalError("nothing was changed")


def _finish(path: Path) -> None:
    say(f"{path.name} is on the board, which restarts; next: eventhive device up PORT --name NAME")
