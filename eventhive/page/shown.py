"""Data and names as a person reads them.

Rules of this file: what is invisible, or changes how the text around it is read (the direction of writing, say), is
shown as JSON escapes it.
"""

import json
from typing import Any

from ..core.json_host import dumps

# Of one piece of text, in a line of the page.
SHOWN_CHARS = 1000


def shown(data: Any) -> str:
    """Data as JSON text, not endless."""
    return shown_text(dumps(data))


def shown_text(text: str) -> str:
    """Text of a device, not endless."""
    cut = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}… ({len(text)} characters)"
    if cut.isprintable():
        return cut
    return "".join([one if one.isprintable() else json.dumps(one)[1:-1] for one in cut])
