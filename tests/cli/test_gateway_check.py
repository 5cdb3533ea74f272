"""`eventhive gateway check`: what is good, what is not and where, and that nothing is opened."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]

GOOD = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: gateway, init: {port: 8085}}
  here: {pubsub_type: memory}
servers:
  my-hive: {pubsub_type: websocket, create: needed, init: {port: 8085}}
gateway:
  websocket: {host: 127.0.0.1, port: 8086}
  serial: [{port: /dev/ttyNONE, baudrate: 9600}]
  http: {port: 8087}
"""


def test_a_good_one_says_what_would_be_opened_and_opens_nothing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD)
    code, lines, errors = start("eventhive", "gateway", "check").end()
    assert (code, errors) == (0, [])
    assert lines[0] == "gateway.yaml: can be used"
    for part in (
        "devices at: ws://127.0.0.1:8086/device",
        "serial ports: /dev/ttyNONE",
        "networks: my-hive (websocket), here (memory)",
        "serving: my-hive at ws://127.0.0.1:8085/pubsub, where no other is found",
        "page: 127.0.0.1:8087",
        f"keys: {tmp_path}/gateway.keys (0 devices)",
    ):
        assert f"  {part}" in lines
    assert [one.name for one in tmp_path.iterdir()] == ["gateway.yaml"]


def test_json(start: Start, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(GOOD)
    code, lines, _ = start("eventhive", "gateway", "check", "-c", "other.yaml", "--json").end()
    found = json.loads("\n".join(lines))
    assert code == 0 and found["ok"] is True
    assert found["serial ports"] == ["/dev/ttyNONE"]
    assert found["keys"] == f"{tmp_path}/other.keys (0 devices)"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (GOOD.replace("port: 8086", "prot: 8086"), "gateway.yaml:8:32", "unknown key 'prot'"),
        ("gateway:\n  serial: [a: 1\n", "gateway.yaml:3:1", "cannot be read"),
        (GOOD.replace("baudrate: 9600", "baudrate: fast"), "gateway.yaml:9:33", "an integer from 1"),
    ],
)
def test_a_fault_has_its_file_line_and_column(
    start: Start, tmp_path: Path, text: str, place: str, problem: str
) -> None:
    (tmp_path / "gateway.yaml").write_text(text)
    code, lines, errors = start("eventhive", "gateway", "check").end()
    assert (code, lines, len(errors)) == (1, [], 1)
    assert errors[0].startswith(f"eventhive: {place}: ") and problem in errors[0]
    code, lines, errors = start("eventhive", "gateway", "check", "--json").end()
    found = json.loads("\n".join(lines))
    assert (code, found["ok"], errors) == (1, False, [])
    assert f"{found['file']}:{found['line']}:{found['column']}" == place and problem in found["problem"]


def test_what_lies_beside_the_file_is_checked_too(start: Start, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD)
    (tmp_path / "gateway.keys").write_text("{}")
    (tmp_path / "gateway.keys").chmod(0o644)
    code, _, errors = start("eventhive", "gateway", "check").end()
    assert code == 1 and "gateway.keys" in errors[0]


def test_a_file_without_a_gateway(start: Start, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("connectors:\n")
    code, _, errors = start("eventhive", "gateway", "--config", "gateway.yaml", "check").end()
    assert code == 1 and "there is no 'gateway:' section" in errors[0]
