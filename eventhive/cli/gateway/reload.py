"""`eventhive gateway reload`: have a running gateway read its configuration again."""

import argparse

from ...gateway.control import RELOAD_TIMEOUT_S, NotRunningError, request
from ..output import say
from .shared import read, section_of
from .status import NOT_RUNNING


def run(arguments: argparse.Namespace) -> int:
    """Ask the gateway, which refuses what it cannot use and runs on with what it had."""
    control = section_of(arguments.config, read(arguments.config)).control
    try:
        answer = request(control, "reload", RELOAD_TIMEOUT_S)
    except NotRunningError as error:
        say(f"eventhive gateway: {error}")
        return NOT_RUNNING
    print(f"the gateway has read its configuration again: {answer['devices']} devices")
    if answer["needs_restart"]:
        print(f"unchanged until it is restarted: {', '.join(answer['needs_restart'])}")
    return 0
