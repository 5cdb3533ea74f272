"""The histories that the process of the hooks leaves behind: one for each of its lives."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventhive.cli.chaos.history import Given, Mark
from eventhive.cli.chaos.world import Hooks

PROGRAM = """
import os, signal, sys
with open(sys.argv[1], "ab", 0) as history:
    history.write(os.environb[b"LINES"])
    print("ready", flush=True)
    signal.pause()
"""


@pytest.fixture
def hooks(tmp_path: Path) -> Iterator[Hooks]:
    hooks = Hooks(tmp_path, "hooks", [sys.executable, "-c", PROGRAM])
    yield hooks
    hooks.kill()


def test_lives_follow_each_other_and_a_torn_line_does_not_count(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "queen/a device-1 7\nqueen/b device-2 9\nqueen/a device-1 1")
    hooks.start()
    assert hooks.history() == [Given("queen/a", "device-1", 7), Given("queen/b", "device-2", 9)]
    hooks.kill()
    monkeypatch.setenv("LINES", "queen/a device-1 12\n")
    hooks.start()
    hooks.note(Mark.GATEWAY_KILLED)
    assert hooks.history()[2:] == [Mark.HOOK_KILLED, Given("queen/a", "device-1", 12), Mark.GATEWAY_KILLED]
