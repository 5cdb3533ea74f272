"""What goes on a board, laid out as on the board: as source, or compiled and bundled.

Everything that touches a board, or claims to run as on one, uses this tree: tests, deployment, releases.
"""

import ast
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import LocalError
from .bundle import Module, definitions, merge, rewrite
from .hints import without_hints
from .sources import Source, read_manifest
from .squeeze import squeeze
from .texts import TEXTS_FILE
from .tools import mpy_cross

# What every program needs is merged into the package it belongs to, what every connection needs into `link`, which is
# loaded with the first one; so are modules of which none is loaded without the other. The rest is loaded when used.
BUNDLES: Mapping[str, Sequence[str]] = {
    "eventhive.core": (
        "eventhive.core",
        "eventhive.core.errors",
        "eventhive.core.names",
        "eventhive.core.envelope",
        "eventhive.core.ring",
    ),
    "eventhive.core.link": (
        "eventhive.core.clear",
        "eventhive.core.mac",
        "eventhive.core.aes",
        "eventhive.core.seal",
        "eventhive.core.session",
    ),
    "eventhive.core.incoming": ("eventhive.core.mark", "eventhive.core.incoming"),
    "eventhive.core.requests": ("eventhive.core.outcomes", "eventhive.core.requests"),
    "eventhive": ("eventhive.port", "eventhive.node", "eventhive"),
}

# What a board gets of a compiled tree only where it is asked for: most programs need none of it, and flash and the time
# to copy it are what a small board has least of. Names as in messages of `micro/node.py`.
PARTS: Mapping[str, Sequence[str]] = {
    "keep": ("eventhive.keep",),
    "lasting": ("eventhive.lasting",),
    "metadata": ("eventhive.metadata", "eventhive.core.version"),
    "serial": ("eventhive.serial",),
    "sleep": ("eventhive.sleep",),
    "spill": ("eventhive.spill", "eventhive.core.segment"),
    "status": ("eventhive.status", "eventhive.core.version"),
    "tls": ("eventhive.tls",),
    "uart": ("eventhive.uart",),
    "usb": ("eventhive.usb",),
}

# What programs call, and may call with keyword arguments.
PUBLIC = ("eventhive", "eventhive.keep", "eventhive.requests", "eventhive.sleep", "eventhive.core.registry")

# Only CPython imports these, and CPython runs no compiled tree.
NOT_COMPILED = ("eventhive.port_cpython", "eventhive.core.aes_host", "eventhive.core.json_host")

# The list of what was written, beside it, so that the next run removes that and nothing else.
RECORD = ".eventhive-staged"

# -O3 leaves out assertions and line numbers: a traceback on a board costs heap that is better spent.
MPY_CROSS_OPTIONS = ("-O3",)


@dataclass(frozen=True)
class StagedFile:
    """One file of the staged tree: its path on the board, its size in bytes, and the modules in it."""

    path: str
    size: int
    modules: tuple[str, ...]


def stage(target: Path, mpy: bool = False, parts: Iterable[str] = ()) -> list[StagedFile]:
    """Write the device package into the folder `target`, as `eventhive/…`; compiled and bundled with `mpy`.

    `parts`: which of `PARTS` a compiled tree has; sources have all. An earlier tree there is replaced. `LocalError`
    says what is missing, or that `target` holds other files.
    """
    sources = read_manifest()
    left_out = _left_out(parts)
    _clear(target)
    staged = _stage_mpy(target, sources, left_out) if mpy else [_stage_source(target, one) for one in sources]
    (target / RECORD).write_text("".join(f"{file.path}\n" for file in staged), encoding="utf-8")
    return staged


def homes() -> dict[str, str]:
    """Which bundle holds each merged module, by full names."""
    return {name: bundle for bundle, names in BUNDLES.items() for name in names}


def _left_out(parts: Iterable[str]) -> set[str]:
    """The modules of the parts that are not asked for."""
    parts = set(parts)
    unknown = sorted(parts - set(PARTS))
    if unknown:
        raise LocalError(f"'{unknown[0]}' is no part of the device package; there are: {', '.join(PARTS)}")
    wanted = {name for part in parts for name in PARTS[part]}
    return {name for names in PARTS.values() for name in names} - wanted


def staged_before(target: Path) -> list[str]:
    """The files that an earlier run wrote into a folder, as paths below it."""
    record = target / RECORD
    return record.read_text(encoding="utf-8").splitlines() if record.is_file() else []


def _clear(target: Path) -> None:
    """Remove the files that an earlier run wrote there, and no other."""
    for path in staged_before(target):
        (target / path).unlink(missing_ok=True)
    left = [path for path in sorted((target / "eventhive").rglob("*")) if not path.is_dir()]
    if left:
        raise LocalError(f"{target}: holds other files ({left[0].relative_to(target)}); name another folder")


def _stage_source(target: Path, source: Source) -> StagedFile:
    data = source.path.read_bytes()
    path = target / source.destination
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return StagedFile(source.destination, len(data), (_module_name(source.destination),))


def _stage_mpy(target: Path, sources: Sequence[Source], left_out: set[str]) -> list[StagedFile]:
    trees, contents = _bundled(sources)
    squeezed = squeeze(trees, PUBLIC)
    staged = []
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source.py"
        for name, code in squeezed.code.items():
            if name in left_out:
                # After squeezing: its short names are those of the rest, so that it can be added later.
                continue
            path = _path(name, name in BUNDLES)
            output = (target / path).with_suffix(".mpy")
            output.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(code, encoding="utf-8")
            # Its name is known to the interpreter already, its path would be one more string.
            compile_mpy(source, output, name)
            staged.append(_staged(target, output, contents[name]))
    texts = target / TEXTS_FILE
    texts.write_bytes(squeezed.texts)
    return [*staged, _staged(target, texts, ())]


def _bundled(sources: Sequence[Source]) -> tuple[dict[str, ast.Module], dict[str, tuple[str, ...]]]:
    """The code of each module of a bundled tree, and the names of the source modules in it."""
    modules = {module.name: module for module in map(_read, sources)}
    where = homes()
    missing = sorted(set(where) - set(modules))
    if missing:
        raise LocalError(f"micro/package.json: {missing[0]} is missing: it belongs to a bundle")
    trees = {}
    contents = {}
    for bundle, names in BUNDLES.items():
        staying = [name.rpartition(".") for name in modules if name not in where]
        beside = [name for package, _, name in staying if package == bundle]
        trees[bundle] = merge(bundle, [modules[name] for name in names], where, beside)
        contents[bundle] = tuple(names)
    for name, module in modules.items():
        if name not in where and name not in NOT_COMPILED:
            trees[name] = rewrite(module, where)
            contents[name] = (name,)
    return trees, contents


def dropped_constants() -> dict[str, dict[str, int]]:
    """The integers that are no longer in a compiled tree, by the module that defines them; for tests of those."""
    sources = read_manifest()
    inlined = squeeze(_bundled(sources)[0], PUBLIC).constants
    where = homes()
    dropped = {}
    for module in map(_read, sources):
        if module.name not in NOT_COMPILED:
            defined = definitions(module)
            constants = inlined[where.get(module.name, module.name)]
            dropped[module.name] = {name: value for name, value in constants.items() if name in defined}
    return dropped


def compile_mpy(source: Path, output: Path, shown: str, options: Sequence[str] = MPY_CROSS_OPTIONS) -> None:
    """Compile one file; `shown` is its name in tracebacks. `LocalError` when it, or the compiler, fails."""
    command = [*mpy_cross(), *options, "-s", shown, "-o", str(output), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LocalError(f"{shown}: mpy-cross failed: {done.stderr.strip() or done.stdout.strip()}")


def _read(source: Source) -> Module:
    text = without_hints(source.path.read_text(encoding="utf-8"), source.destination)
    return Module(_module_name(source.destination), text, source.path.name == "__init__.py", source.destination)


def _module_name(destination: str) -> str:
    name = destination.removesuffix(".py").replace("/", ".")
    return name.removesuffix(".__init__")


def _path(name: str, is_package: bool) -> str:
    return name.replace(".", "/") + ("/__init__.py" if is_package else ".py")


def _staged(target: Path, path: Path, modules: tuple[str, ...]) -> StagedFile:
    return StagedFile(path.relative_to(target).as_posix(), path.stat().st_size, modules)
