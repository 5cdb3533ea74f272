"""Firmware for the RP2 family: a .uf2 file that is copied to the drive of the chip's boot loader.

The drive is known by its INFO_UF2.TXT, the chip by the line `Board-ID` in it, and the file by the families in its
blocks (github.com/microsoft/uf2).
"""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import LocalError

BLOCK_BYTES = 512
MAGIC = b"UF2\nWQ]\x9e"
FAMILY_FLAG = 0x2000

# Families that a boot loader takes, by its Board-ID; what is "absolute" stands in files beside others.
FAMILIES = {
    "RPI-RP2": {0xE48BFF56: "RP2040"},
    "RP2350": {0xE48BFF59: "RP2350", 0xE48BFF5A: "RP2350 (RISC-V)"},
}
ABSOLUTE = 0xE48BFF57

INFO = "INFO_UF2.TXT"
# Where systems mount drives, and who says otherwise.
VARIABLE = "EVENTHIVE_DRIVES"
PLACES = ("/media/{user}", "/run/media/{user}", "/media", "/Volumes", "/mnt")

# From the restart of a board to its drive being mounted: some 2 s on a desktop.
APPEARS_S = 20.0
LOOK_S = 0.2

COPY_BYTES = 64 * 1024


@dataclass(frozen=True)
class Drive:
    """A boot loader's drive: where it is, and the Board-ID that it gives."""

    path: Path
    board: str


def check_file(path: Path, data: bytes) -> set[int]:
    """The families of a file; `LocalError` where it is no UF2 file."""
    blocks = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]
    if not blocks or any(len(block) != BLOCK_BYTES or not block.startswith(MAGIC) for block in blocks):
        raise LocalError(f"{path}: is no UF2 file: take the .uf2 of your board from micropython.org/download")
    families = {
        int.from_bytes(block[28:32], "little")
        for block in blocks
        if int.from_bytes(block[8:12], "little") & FAMILY_FLAG
    }
    return families - {ABSOLUTE}


def check_drive(drive: Drive, path: Path, families: set[int]) -> None:
    """`LocalError` where a boot loader does not take the file."""
    known = FAMILIES.get(drive.board)
    if known is None:
        raise LocalError(f"{drive.path}: is the boot drive of a {drive.board}, of which nothing is known here")
    if not families & set(known):
        every = {number: name for names in FAMILIES.values() for number, name in names.items()}
        found = ", ".join(every.get(number, hex(number)) for number in sorted(families)) or "no known chip"
        chip = next(iter(known.values()))
        raise LocalError(f"{drive.path}: is an {chip}, and {path} is for {found}: take the file for {chip}")


def drives() -> list[Drive]:
    """The boot drives that are mounted."""
    places = os.environ.get(VARIABLE)
    roots = places.split(os.pathsep) if places else [place.format(user=os.environ.get("USER", "")) for place in PLACES]
    found = {}
    for root in roots:
        for info in Path(root).glob(f"*/{INFO}"):
            found[info.parent.resolve()] = Drive(info.parent, _board(info))
    return list(found.values())


def at(path: Path) -> Drive:
    """The drive that a person names; `LocalError` where it is none."""
    info = path / INFO
    if not info.is_file():
        raise LocalError(
            f"{path}: is no boot drive, there is no {INFO} in it: hold BOOTSEL while you plug the board in"
        )
    return Drive(path, _board(info))


def wait() -> Drive:
    """The drive that appears; `LocalError` when none does."""
    end = time.monotonic() + APPEARS_S
    while not (found := drives()):
        if time.monotonic() > end:
            raise LocalError(
                f"no boot drive appeared within {APPEARS_S:g} s: mount it, and name it with --drive; or hold BOOTSEL"
                " while you plug the board in"
            )
        time.sleep(LOOK_S)
    return found[0]


def copy(drive: Drive, path: Path, data: bytes, progress: Callable[[int], None]) -> None:
    """Copy a file; the drive goes away when all of it has arrived."""
    target = drive.path / path.name
    done = 0
    try:
        with target.open("wb", buffering=0) as file:
            while done < len(data):
                piece = data[done : done + COPY_BYTES]
                file.write(piece)
                done += len(piece)
                progress(len(piece))
            os.fsync(file.fileno())
    except OSError as error:
        # The board restarts with the last block, before the system has finished with its drive.
        if done < len(data) or error.errno not in (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT):
            raise LocalError(f"{drive.path}: {error.strerror}: is it mounted for you, and writable?") from None


def _board(info: Path) -> str:
    try:
        lines = info.read_text(errors="replace").splitlines()
    except OSError:
        return "?"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Board-ID:")), "?")
