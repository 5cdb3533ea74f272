"""The modules of the device package, by the same names on a host, where `eventhive` is another package."""

import sys


def module(name):
    """The module of this name."""
    if sys.implementation.name == "micropython":
        return __import__("eventhive." + name, None, None, ("*",))
    import importlib
    import types
    from pathlib import Path

    if "micro" not in sys.modules:
        # Without its `__init__`, which is the program's own node.
        package = types.ModuleType("micro")
        package.__path__ = [str(Path(__file__).resolve().parents[3] / "micro")]
        sys.modules["micro"] = package
    return importlib.import_module("micro." + name)
