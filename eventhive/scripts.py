"""HOOKER_SCRIPTS: modules with hooks that a program does not name itself, separated by commas.

They are loaded once, at the first call of an event or at `init`, whichever comes first. A name is that of a module
(`plugins.alarm`), or the path of a file (`plugins/alarm.py`), relative to the working folder. One that cannot be
loaded is logged, and the others are loaded.
"""

import importlib
import logging
import os
import sys
import threading
from importlib.machinery import SourceFileLoader

VARIABLE = "HOOKER_SCRIPTS"

logger = logging.getLogger("eventhive")


class Scripts:
    """`load` loads what the environment names, once; `loaded` is true from then on."""

    def __init__(self) -> None:
        self.loaded = False
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load them if they are not loaded yet."""
        if self.loaded:
            return
        with self._lock:
            # A script may call events while it is loaded.
            first, self.loaded = not self.loaded, True
        if not first:
            return
        for script in os.environ.get(VARIABLE, "").split(","):
            if script.strip():
                _load_one(script.strip())


def _load_one(script: str) -> None:
    module = script.removesuffix(".py").replace("\\", ".").replace("/", ".").strip(".")
    try:
        if not _is_module(module):
            _run_file(script, module)
    except (Exception, SystemExit) as error:
        logger.error("%s: %s: %s: %s", VARIABLE, script, type(error).__name__, error)


def _is_module(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        # What the script itself imports may be missing too.
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            return False
        raise
    return True


def _run_file(path: str, name: str) -> None:
    from importlib.util import module_from_spec, spec_from_loader

    if not os.path.exists(path):
        logger.error("%s: there is no module or file '%s'", VARIABLE, path)
        return
    loader = SourceFileLoader(name, path)
    module = module_from_spec(spec_from_loader(name, loader))  # type: ignore[arg-type]
    sys.modules[name] = module
    loader.exec_module(module)


SCRIPTS = Scripts()
