"""`eventhive chaos` with its real processes: the promise is kept, and a gateway that breaks it is caught."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eventhive.cli.chaos.run import DEVICES
from eventhive.cli.chaos.schedule import KINDS

# Beyond this, something hangs.
SECONDS = 120

KILLS = 6
# Events of one name that a device of the checker calls in a row: no more can be in flight.
RUN = 5


def chaos(*arguments: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "eventhive", "chaos", "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_each_kind_of_fault(tmp_path: Path) -> None:
    code, found, said = chaos("--faults", str(len(KINDS)), "--seed", "11", "--keep", str(tmp_path / "run"))
    assert (code, found["lost"], found["duplicated"], found["reordered"]) == (0, 0, 0, 0), said
    assert found["faults_total"] == len(KINDS)
    assert set(found["faults"]) | set(found["skipped"]) == set(KINDS)
    assert 0 < found["acknowledged"] <= found["delivered"]
    assert "the promise was kept" in said


def test_hooks_that_are_killed_are_given_again_what_was_in_flight_at_most() -> None:
    code, found, said = chaos("--faults", str(KILLS), "--seed", "3", "--only", "hook-kill")
    assert (code, found["lost"], found["duplicated"], found["reordered"]) == (0, 0, 0, 0), said
    assert found["faults"] == {"hook-kill": KILLS}
    assert 0 <= found["redelivered"] <= KILLS * DEVICES * RUN


@pytest.mark.parametrize(
    ("sabotage", "faults", "offence"),
    [
        ("drop-one", "carrier-change", "lost"),
        ("double-one", "carrier-change", "duplicated"),
        ("swap-two", "carrier-change", "reordered"),
        ("ack-before-disk", "gateway-kill", "lost"),
    ],
)
def test_a_broken_promise_is_caught(sabotage: str, faults: str, offence: str) -> None:
    code, found, said = chaos("--sabotage", sabotage, "--faults", "3", "--only", faults, "--drain", "3")
    assert code == 1, found
    assert found[offence] > 0, found
    assert "BROKEN: device-" in said
