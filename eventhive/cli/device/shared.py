"""What several commands of `eventhive device` share: the gateway's configuration, the gateway itself, new files."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import LocalError
from ..gateway.shared import DEFAULT_CONFIG, section_of
from ..output import say

# Which port: what each command says of it that talks to a board.
PORT_HELP = "of this machine ('eventhive device ports' shows them), or rfc2217://HOST:PORT of a serial server"

# What `allow` sets beside globs, as the key file has it.
LIMITS = ("rate", "burst", "size", "ttl")


def action(
    actions: Any, name: str, purpose: str, run: Callable[[argparse.Namespace], int], examples: str = ""
) -> argparse.ArgumentParser:
    """Add one command: what it is called, what it is for, what carries it out, and what its help ends with."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=purpose,
        description=purpose,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_config(command: argparse.ArgumentParser) -> None:
    """Add the option that names the gateway's configuration."""
    command.add_argument(
        "-c", "--config", default=DEFAULT_CONFIG, metavar="FILE", help=f"of the gateway ({DEFAULT_CONFIG})"
    )


def config_of(path: str) -> Any:
    """The checked configuration of a gateway; `LocalError` where there is none."""
    from ...config import load_file

    config = load_file(path)
    section_of(path, config)
    return config


def tell_gateway(config: Any) -> int:
    """Have a running gateway read its key file again; returns the exit code."""
    from ...gateway.control import NotRunningError, request

    try:
        request(config.gateway.control, "reload_keys")
    except NotRunningError:
        say("no gateway is running: it will know when it starts")
        return 0
    except LocalError as error:
        say(f"eventhive: the running gateway did not take it over, so restart it: {error}")
        return 1
    say("the running gateway knows")
    return 0


def new_file(path: Path) -> int:
    """A descriptor of a new file that only its owner may read; `LocalError` where there is one."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise LocalError(f"{path}: exists already: remove it, or name another file") from None
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None


def globs(found: Sequence[str]) -> str:
    """Globs, for a person."""
    return ", ".join(found) or "nothing"
