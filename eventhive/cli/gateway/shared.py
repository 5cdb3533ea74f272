"""What the actions of `eventhive gateway` share: the configuration, and their options."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...core.errors import LocalError

if TYPE_CHECKING:
    from ...config import Config, Gateway, Settings

DEFAULT_CONFIG = "gateway.yaml"


def add_action(
    actions: Any, name: str, purpose: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add one action with `--config`: what it is called, what it is for, and what carries it out."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=purpose, description=f"{name} {purpose}")
    # Without a value of its own, so that one before the action counts.
    parser.add_argument(
        "-c", "--config", default=argparse.SUPPRESS, metavar="FILE", help=f"the configuration ({DEFAULT_CONFIG})"
    )
    parser.set_defaults(run=run)
    return parser


def read(path: str) -> "Config":
    """The checked configuration that a gateway has which is started with this file; `ConfigError`."""
    from ...config import build

    return build(settings_of(path))


def settings_of(path: str) -> "Settings":
    """What a gateway reads that is started with this file; `ConfigError`."""
    from ...config import Settings
    from ...defaults import DEFAULTS

    # As a program reads it: `eventhive.yaml`, where there is one, lies beneath.
    settings = Settings({"eventhive": dict(DEFAULTS)}, over_default=True)
    settings.read_file(path)
    return settings


def section_of(path: str, config: "Config") -> "Gateway":
    """The gateway of a configuration that was read from `path`; `LocalError` where there is none."""
    if config.gateway is None:
        raise LocalError(f"{path}: there is no 'gateway:' section; 'eventhive gateway --help' shows one")
    return config.gateway
