"""A folder that MicroPython's `mip` installs from: the compiled tree with all its parts, and the list of its files.

Any web server will do for it: `mip.install("https://example.org/eventhive/package.json")` on a board, and `mpremote mip
install` with the same address from a computer. From a checkout, `micro/package.json` does the same with the sources.
"""

import json
from pathlib import Path

from ..core.errors import LocalError
from ..core.version import VERSION
from .sources import MANIFEST
from .stage import PARTS, RECORD, StagedFile, stage, staged_before


def release(target: Path) -> list[StagedFile]:
    """Write the release into the folder `target`, and return its files; an earlier one there is replaced.

    `LocalError` says what is missing, or that `target` holds other files.
    """
    if (target / MANIFEST).exists() and MANIFEST not in staged_before(target):
        raise LocalError(f"{target}: holds a {MANIFEST} of somebody else; name another folder")
    staged = stage(target, mpy=True, parts=PARTS)
    with (target / RECORD).open("a", encoding="utf-8") as record:
        # A tree that is staged there later is no release.
        record.write(f"{MANIFEST}\n")
    listed = {"version": VERSION, "urls": [[file.path, file.path] for file in staged], "deps": []}
    (target / MANIFEST).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    return staged
