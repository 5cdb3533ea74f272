"""Where the device sources are, in a checkout, an editable install or a wheel, and the one list of what a board gets.

`micro/package.json` is that list, in the format of MicroPython's `mip`: `[destination, source]`, the source relative to
the list itself. A wheel carries `micro/` and `firmware-examples/` inside the package, so sources are found by name.
"""

import json
import posixpath
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import LocalError

MANIFEST = "package.json"

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Source:
    """One file of a board: where it goes there (`eventhive/…`, forward slashes) and where it is here."""

    destination: str
    path: Path


def micro_dir() -> Path:
    """The folder of the device package; `LocalError` when this installation has none."""
    return _folder("micro", MANIFEST)


def examples_dir() -> Path:
    """The folder of the firmware examples; `LocalError` when this installation has none."""
    return _folder("firmware-examples", "")


def read_manifest() -> list[Source]:
    """Every file of a board, in the order of the list; `LocalError` names the list and the entry that is wrong."""
    manifest = micro_dir() / MANIFEST
    try:
        urls = json.loads(manifest.read_text(encoding="utf-8"))["urls"]
        return [Source(_destination(destination), _locate(source)) for destination, source in urls]
    except (KeyError, TypeError, ValueError) as error:
        raise LocalError(f"{manifest}: is not a mip package list: {error}") from None
    except LocalError as error:
        raise LocalError(f"{manifest}: {error}") from None


def _folder(name: str, holds: str) -> Path:
    # Inside the package first: beside an installed package, a folder of this name would be somebody else's.
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name / holds).exists():
            return parent / name
    raise LocalError(f"this installation of eventhive has no {name}/: install it again, from a wheel or a checkout")


def _destination(destination: str) -> str:
    if posixpath.normpath(destination) != destination or not destination.startswith("eventhive/"):
        raise LocalError(f"destination {destination!r}: must be below 'eventhive/', in its shortest form")
    return destination


def _locate(source: str) -> Path:
    top, _, rest = posixpath.normpath(posixpath.join("micro", source)).partition("/")
    if top not in ("micro", "eventhive"):
        raise LocalError(f"source {source!r}: is neither in micro/ nor in eventhive/")
    path = (micro_dir() if top == "micro" else _PACKAGE) / rest
    if not path.is_file():
        raise LocalError(f"source {source!r}: there is no {path}")
    return path
