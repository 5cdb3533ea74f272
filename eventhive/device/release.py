"""A folder that MicroPython's `mip` installs from: the compiled tree with all its parts, and the list of its files.

Any web server will do for it: `mip.install("https://example.org/eventhive/package.json")` on a board, and `mpremote mip
install` with the same address from a computer. From a checkout, `micro/package.json` does the same with the sources.
"""

import json
from pathlib import Path

from ..core.version import VERSION
from .sources import MANIFEST
from .stage import PARTS, StagedFile, stage


def release(target: Path) -> list[StagedFile]:
    """Write the release into the folder `target`, and return its files; an earlier one there is replaced.

    `LocalError` says what is missing, or that `target` holds other files.
    """
    staged = stage(target, mpy=True, parts=PARTS)
    listed = {"version": VERSION, "urls": [[file.path, file.path] for file in staged], "deps": []}
    (target / MANIFEST).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    return staged
