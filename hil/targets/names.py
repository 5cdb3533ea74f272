"""What `--target` takes, and what makes a target of it."""

from collections.abc import Callable, Mapping

import pytest

from hil.targets.base import Target
from hil.targets.unix import esp32_like, pico_like

# Targets without an argument, in the order of a run that names none.
PLAIN: Mapping[str, Callable[[], Target]] = {"micropython": pico_like, "esp32-like": esp32_like}


def make(name: str) -> Target:
    """The target of a name; a usage error says what there is."""
    if name in PLAIN:
        return PLAIN[name]()
    raise pytest.UsageError(f"--target {name}: unknown; there are {', '.join(PLAIN)}")
