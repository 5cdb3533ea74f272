"""The history of a device of the checker: what a kill left of a line does not become one with the next."""

import json
from pathlib import Path

import pytest

from eventhive.cli.chaos import world


def test_a_torn_line_is_gone_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    # A program that does nothing: the history is what this test writes.
    monkeypatch.setattr(world, "interpreter", lambda: ["true"])
    device = world.Device(tmp_path / "one", tree, {"id": "device-1"}, [{"type": "serial"}])
    device.history.write_bytes(b"1000001\n1000002\n10000")
    assert device.acknowledged() == {1000001, 1000002}
    device.start()
    device.kill()
    with device.history.open("ab") as history:
        history.write(b"2000001\n")
    assert device.acknowledged() == {1000001, 1000002, 2000001}
    assert json.loads((tmp_path / "one/eventhive.json").read_text())["link"] == {"type": "serial"}
