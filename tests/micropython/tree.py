"""The tree that portable tests run in: what a board gets, compiled and bundled, and the tests beside it.

The gateway's part of the core is there as well, so that both ends of the link can be tested: the device's end is what
was staged, and what the gateway's end uses is the same, but for the class that its session is built on.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from eventhive.device.stage import BUNDLES, PARTS, compile_mpy, dropped_constants, homes, stage
from eventhive.device.tools import micropython

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
CORE = TESTS.parent / "eventhive/core"

# What a Pico W has free after start, 200 KB, less its driver of the radio.
HEAP = "190K"

# What the gateway's end of a link needs beside what a board gets, by the module's name in the tree. Its session
# overrides private methods of the common one, which squeezing renamed, so it is built on that file as written.
GATEWAY = {"marks": "marks.py", "session_as_written": "session.py", "gateway_session": "gateway_session.py"}

# What the tests import, by its name there.
LIBRARY = {
    "unittest/__init__": "shim/unittest/__init__.py",
    **{name: f"lib/{name}.py" for name in ("vectors", "ends", "sessions")},
}

# A deadlock, not a slow test, takes longer.
TIMEOUT_S = 120


@dataclass(frozen=True)
class Tree:
    """Folders on disk: `board` as staged, `tests` compiled, `hidden` with a cryptolib that cannot be imported."""

    root: Path

    @property
    def board(self) -> Path:
        """The staged tree."""
        return self.root / "board"

    def path(self, test: str, hide_cryptolib: bool = False) -> str:
        """MICROPYPATH for one test file, given relative to tests/."""
        folders = [self.root / "tests" / Path(test).parent, self.root / "tests", self.board]
        if hide_cryptolib:
            folders.insert(0, self.root / "hidden")
        return ":".join([*map(str, folders), ".frozen"])

    def run(self, test: str, hide_cryptolib: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run one test file on MicroPython."""
        command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", str(HERE / "run.py"), Path(test).stem]
        environment = {**os.environ, "MICROPYPATH": self.path(test, hide_cryptolib)}
        environment["EVENTHIVE_VECTORS"] = str(TESTS / "vectors")
        return subprocess.run(
            command, env=environment, cwd=self.root, capture_output=True, text=True, timeout=TIMEOUT_S
        )


def build(root: Path, tests: "tuple[str, ...]") -> Tree:
    """Stage a compiled board, and compile these test files, given relative to tests/."""
    tree = Tree(root)
    stage(tree.board, mpy=True, parts=PARTS)
    _add_merged_modules(tree.board)
    _add_gateway_modules(tree.board)
    compiled = {name: HERE / source for name, source in LIBRARY.items()}
    compiled.update({test.removesuffix(".py"): TESTS / test for test in tests})
    for name, source in compiled.items():
        output = root / "tests" / f"{name}.mpy"
        output.parent.mkdir(parents=True, exist_ok=True)
        # Without -O, so that a failure shows its line.
        compile_mpy(source, output, source.name, options=())
    (root / "hidden").mkdir()
    (root / "hidden" / "cryptolib.py").write_text("raise ImportError('hidden by the tests')\n")
    return tree


def _add_merged_modules(board: Path) -> None:
    """Make `eventhive.core.x` importable with its constants, as the sources have it; tests name modules as they do."""
    bundles = homes()
    for name, constants in dropped_constants().items():
        path = board / name.replace(".", "/")
        home = bundles.get(name, f"{name}_staged")
        if name not in bundles and constants:
            path.with_suffix(".mpy").rename(path.with_name(f"{path.name}_staged.mpy"))
        if name not in BUNDLES and (name in bundles or constants):
            lines = [f"from {home} import *", *[f"{constant} = {value}" for constant, value in constants.items()]]
            path.with_suffix(".py").write_text("\n".join(lines) + "\n")


def add_gateway_modules(board: Path) -> None:
    """The same beside a tree of sources."""
    for name in ("marks.py", "gateway_session.py"):
        (board / "eventhive/core" / name).write_bytes((CORE / name).read_bytes())


def _add_gateway_modules(board: Path) -> None:
    """Make the gateway's end of the link importable beside the device's."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, written in GATEWAY.items():
            text = (CORE / written).read_text().replace("from .session import", "from .session_as_written import")
            source = Path(scratch, written)
            source.write_text(text)
            compile_mpy(source, board / f"eventhive/core/{name}.mpy", written, options=())
