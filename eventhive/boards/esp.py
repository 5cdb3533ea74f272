"""Firmware for Espressif's chips, written by esptool."""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..core.errors import LocalError
from . import ports

# The head of an image (esptool's documentation, "Firmware Image Format"): a magic byte, and the number of its chip.
MAGIC = 0xE9
CHIP_AT = 12
HEAD_BYTES = 24

# A chip that is going to answer does so at the first or second attempt; each takes a second or two.
ATTEMPTS = 3

Progress = Callable[[int, int], None]


def check_image(path: Path, data: bytes) -> int:
    """The number of the chip that an image is for; `LocalError` where it is none."""
    if len(data) < HEAD_BYTES or data[0] != MAGIC:
        raise LocalError(f"{path}: is no image for an ESP32: take the .bin of your board from micropython.org/download")
    return int.from_bytes(data[CHIP_AT : CHIP_AT + 2], "little")


@contextlib.contextmanager
def connect(port: str, progress: Progress) -> Iterator[Any]:
    """The chip at a port, in its boot loader; `progress(done, total)` hears of what is written.

    `LocalError` says why there is none.
    """
    ports.check(port)
    try:
        from esptool.cmds import detect_chip
        from esptool.util import FatalError
    except ImportError:
        raise LocalError("esptool is missing: pip install 'eventhive[boards]'") from None
    _quieten(progress)
    try:
        # Some of its warnings go past its logger.
        with contextlib.redirect_stdout(io.StringIO()):
            found = detect_chip(port, connect_attempts=ATTEMPTS)
        with found as chip:
            yield chip
    except FatalError as error:
        raise LocalError(
            f"{port}: {_first_line(error)}: hold the button BOOT while you press RESET, and try again"
        ) from (None)
    except OSError as error:
        raise ports.fault(port, error) from None


def check_chip(port: str, chip: Any, path: Path, number: int) -> None:
    """`LocalError` for an image of another chip."""
    from esptool.targets import CHIP_DEFS

    # The first chips wrote no number, and so have that of the ESP32.
    if getattr(chip, "IMAGE_CHIP_ID", 0) == number:
        return
    names = {getattr(one, "IMAGE_CHIP_ID", None): one.CHIP_NAME for one in CHIP_DEFS.values()}
    found = names.get(number, f"a chip with number {number}")
    raise LocalError(f"{port}: is an {chip.CHIP_NAME}, and {path} is for {found}: take the file for {chip.CHIP_NAME}")


def write(chip: Any, path: Path) -> None:
    """Erase the chip, write an image where its chip starts from, verify it, and restart."""
    from esptool.cmds import attach_flash, reset_chip, run_stub, write_flash

    offset = chip.BOOTLOADER_FLASH_OFFSET
    with contextlib.redirect_stdout(io.StringIO()):
        stub = run_stub(chip)
        attach_flash(stub)
        write_flash(stub, [(offset, str(path))], erase_all=True, compress=True)
        reset_chip(stub, "hard-reset")


def _quieten(progress: Progress) -> None:
    """Have esptool say nothing but its progress."""
    from esptool.logger import TemplateLogger, log

    class Quiet(TemplateLogger):  # type: ignore[misc]
        def print(self, *args: Any, **kwargs: Any) -> None:
            pass

        def note(self, message: str) -> None:
            pass

        def warning(self, message: str) -> None:
            pass

        def error(self, message: str) -> None:
            pass

        def stage(self, finish: bool = False) -> None:
            pass

        def progress_bar(self, cur_iter: int, total_iters: int, *args: Any, **kwargs: Any) -> None:
            progress(cur_iter, total_iters)

        def set_verbosity(self, verbosity: str) -> None:
            pass

    log.set_logger(Quiet())


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".:")
