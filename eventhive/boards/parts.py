"""Which optional parts of the device package a board needs: what its configuration and its program say."""

import ast
from collections.abc import Iterable
from typing import Any

from ..core.errors import LocalError
from ..device.stage import PARTS

# Attributes of the package that live in a part of the same name.
CALLED = ("keep", "lasting", "sleep")


def needed(settings: dict[str, Any], program: str, shown: str, asked: Iterable[str] = ()) -> list[str]:
    """The parts for an eventhive.json and a program, whose name is `shown`, beside those that are asked for.

    `LocalError` for a program that is no Python.
    """
    return sorted(set(asked) | _of_settings(settings) | _of_program(program, shown))


def _of_settings(settings: dict[str, Any]) -> set[str]:
    found: set[str] = {key for key in ("spill", "status") if key in settings}
    common = settings.get("eventhive")
    if isinstance(common, dict) and common.get("remove_metadata") is False:
        found.add("metadata")
    links = settings.get("link")
    for link in links if isinstance(links, list) else [links]:
        if isinstance(link, dict):
            found |= {str(link.get("type"))} & set(PARTS)
            if link.get("scheme") == "wss":
                found.add("tls")
    return found


def _of_program(program: str, shown: str) -> set[str]:
    try:
        tree = ast.parse(program, shown)
    except SyntaxError as error:
        raise LocalError(f"{shown}:{error.lineno}: {error.msg}: correct the program") from None
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            # `node = eventhive.init()` has the same attributes under whatever name; a part too many does no harm.
            found.add(node.attr if node.value.id in ("eventhive", "node") else "")
        elif isinstance(node, ast.ImportFrom) and node.module == "eventhive":
            found |= {alias.name for alias in node.names}
    return found & set(CALLED)
