"""Which targets there are, and the inputs that each begins with."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FUZZ = Path(__file__).resolve().parents[1]
ROOT = FUZZ.parents[1]
TARGETS = FUZZ / "targets"
CORPUS = FUZZ / "corpus"

# What a target imports: the oracle, and the helpers of portable tests.
PATHS = (FUZZ / "lib", ROOT / "tests/micropython/lib", ROOT / "tests/gateway/lib", ROOT)

# How the names of inputs begin that a run has found.
FOUND = "found"


def extend_path() -> None:
    """Make importable what targets import."""
    sys.path[:0] = [str(path) for path in PATHS if str(path) not in sys.path]


def names(folder: Path = TARGETS) -> list[str]:
    """All targets, each a file of the folder."""
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def load(name: str, folder: Path = TARGETS) -> ModuleType:
    """The target of this name."""
    spec = importlib.util.spec_from_file_location(f"fuzz_target_{name}", folder / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder / name}.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    return target


def portable() -> list[str]:
    """The targets that run on MicroPython as well."""
    return [name for name in names() if load(name).PORTABLE]


def entries(name: str, corpus: Path = CORPUS) -> list[Path]:
    """The files of a target's corpus."""
    return sorted(path for path in (corpus / name).glob("*") if path.is_file())


def save(name: str, corpus: Path, kind: str, data: bytes) -> Path:
    """Add an input that a run has found; `kind` says of what it is an example."""
    path = corpus / name / f"{FOUND}-{kind}-{hashlib.sha256(data).hexdigest()[:8]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_seeds(folder: Path = TARGETS, corpus: Path = CORPUS) -> int:
    """Write the seeds of all targets; returns how many there are."""
    count = 0
    for name in names(folder):
        for title, data in load(name, folder).seeds().items():
            (corpus / name).mkdir(parents=True, exist_ok=True)
            (corpus / name / title).write_bytes(data)
            count += 1
    return count
