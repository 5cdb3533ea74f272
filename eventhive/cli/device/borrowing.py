"""A port that a running gateway has, for as long as a command needs it."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...core.errors import LocalError
from ..gateway import DEFAULT_CONFIG
from .shared import config_of

# The gateway takes it back when it is told to, or when this has passed: two minutes are enough for a firmware.
LEND_S = 300


def add_gateway(command: argparse.ArgumentParser) -> None:
    """Add the option that names the gateway's configuration, where that is all it is for."""
    purpose = f"a running one that has the port lends it ({DEFAULT_CONFIG}, if there is one)"
    command.add_argument("--gateway", default=DEFAULT_CONFIG, metavar="FILE", help=purpose)


@contextlib.contextmanager
def borrowed_from(config: str, port: str) -> Iterator[None]:
    """As `borrowed`, of the gateway with a configuration, if that is there and runs."""
    from ...gateway.control import NotRunningError, request

    control = config_of(config).gateway.control if Path(config).exists() else None
    try:
        if control is not None:
            request(control, "ping")
    except NotRunningError:
        control = None
    if control is None:
        yield
        return
    with borrowed(control, port):
        yield


@contextlib.contextmanager
def borrowed(control: Any, port: str) -> Iterator[bool]:
    """A port that the running gateway has is ours meanwhile; gives whether it is one of those."""
    from ...gateway.control import request

    real = Path(port).resolve()
    theirs = [one["port"] for one in request(control, "ports")["ports"] if Path(one["port"]).resolve() == real]
    for one in theirs:
        request(control, "lend", port=one, seconds=LEND_S)
    try:
        yield bool(theirs)
    finally:
        for one in theirs:
            with contextlib.suppress(LocalError):
                request(control, "lend", port=one, seconds=0)
