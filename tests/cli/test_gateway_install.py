"""`eventhive gateway install`: a unit that systemd's own tools take, and what is written where."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eventhive.cli.gateway.unit import quoted, unit

Start = Callable[..., Any]

GOOD = "connectors: {a: {pubsub_type: memory}}\ngateway: {websocket: {port: 8086}}\n"
DEADLINE_S = 60
# Of systemd's 0 (nothing is allowed) to 10; its own services have 2 to 9.
MOST_EXPOSURE = 2.5

systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or shutil.which("systemctl") is None, reason="there is no systemd here"
)


def analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=DEADLINE_S)


def written(start: Start, tmp_path: Path, *words: str) -> str:
    (tmp_path / "gateway.yaml").write_text(GOOD)
    code, lines, errors = start("eventhive", "gateway", "install", "--dry-run", *words).end()
    assert (code, errors) == (0, [])
    return "\n".join(lines) + "\n"


@systemd
def test_systemd_takes_the_unit(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "eventhive.service"
    # It looks whether the account is there, which is made after the unit.
    file.write_text(written(start, tmp_path).replace("=eventhive\n", "=root\n", 2))
    done = analyze("verify", "--man=no", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    file.write_text(file.read_text().replace("ProtectSystem=strict", "ProtectSystem=sometimes"))
    assert "sometimes" in analyze("verify", "--man=no", str(file)).stderr


@systemd
def test_it_may_do_little(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "eventhive.service"
    file.write_text(written(start, tmp_path))
    threshold = f"--threshold={int(MOST_EXPOSURE * 10)}"
    done = analyze("security", "--offline=true", threshold, str(file))
    assert done.returncode == 0, done.stdout
    file.write_text("[Service]\nExecStart=/bin/true\n")
    assert analyze("security", "--offline=true", threshold, str(file)).returncode != 0


@systemd
def test_a_user_has_it_written_where_its_systemd_looks(start: Start, tmp_path: Path) -> None:
    text = written(start, tmp_path, "--user")
    code, lines, errors = start("eventhive", "gateway", "install", "--user", XDG_CONFIG_HOME=str(tmp_path)).end()
    file = tmp_path / "systemd" / "user" / "eventhive.service"
    assert (code, errors) == (0, [])
    assert file.read_text() == text and "User=" not in text
    assert lines[0].startswith(f"wrote {file}")
    assert f"  rm '{file}'" in lines


@systemd
def test_a_bad_configuration_is_not_installed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("gateway: {prot: 1}")
    code, _, errors = start("eventhive", "gateway", "install", "--user", XDG_CONFIG_HOME=str(tmp_path)).end()
    assert code == 1 and "gateway.yaml:1:11" in errors[0]
    assert not (tmp_path / "systemd").exists()


def test_where_there_is_no_systemd(start: Start, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD)
    code, _, errors = start("eventhive", "gateway", "install", PATH=str(tmp_path)).end()
    assert code == 1 and "there is no systemd" in errors[0]


def made(version: int, folder: str = "/var/lib/eventhive") -> str:
    return unit(Path(sys.executable), Path("/etc/eventhive/gateway.yaml"), [Path(folder)] * 2, version, False)


def test_it_may_write_where_its_files_are() -> None:
    assert 'ReadWritePaths="/srv/a $b"\n' in made(253, "/srv/a $b")
    assert "ProtectHome=read-only\n" in made(253, "/home/me/hive")


def test_the_unit_uses_this_interpreter_and_what_the_version_has() -> None:
    new, old = (made(n) for n in (253, 252))
    assert f'ExecStart="{sys.executable}" -m eventhive gateway run --config "/etc/eventhive/gateway.yaml"' in new
    assert "Type=notify-reload\n" in new and "ExecReload" not in new
    assert "Type=notify\n" in old and "ExecReload=" in old


def test_the_unit_bounds_memory_and_has_descriptors_for_a_fleet() -> None:
    assert "\nMemoryMax=512M\nLimitNOFILE=65536\n" in made(253)


def test_paths_are_words_of_a_unit() -> None:
    assert quoted(Path('/a b/%n/$x/"')) == '"/a b/%%n/$$x/\\""'
