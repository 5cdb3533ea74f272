"""Each benchmark runs, loses nothing and has the keys that versions are compared by. No speed is looked at."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eventhive.device.tools import micropython

BENCH = Path(__file__).resolve().parent / "bench"
HIVE_PAGE = BENCH.parents[1] / "docs" / "hive.md"

# Longer than a busy machine takes for any of them.
TIMEOUT_S = 120

KEYS = {
    "device_footprint": {
        "mpy_bytes": int,
        "mpy_files": dict,
        "heap_kept_bytes": int,
        "smallest_heap_bytes": int,
        "heap_drift_bytes": int,
    },
    "wire_bytes": {"plain_bytes": float, "sealed_bytes": float, "batched_bytes": float},
    "link_throughput": {
        "lockstep_50": int,
        "pipelined_50": int,
        "backlog_50": int,
        "events_per_second_1": int,
        "events_per_second_hive": int,
        "p50_ms": float,
        "p99_ms": float,
        "reference_per_second": int,
    },
    "hive": {
        "websocket": dict,
        "websocket_secret": dict,
        "websocket_lean": dict,
        "drift": dict,
        "reference_per_second": int,
        "import_ms": float,
    },
    "durable": {
        "pipelined_50": int,
        "lockstep_50": int,
        "lockstep_ratio": float,
        "fdatasync_ms": float,
        "note_us": float,
        "write_us": float,
    },
    "flood": {
        "undisturbed_per_second": int,
        "control_per_second": dict,
        "flooded_per_second": dict,
        "loss_percent": dict,
        "flood_attempts_per_second": dict,
        "gateway_us_per_attempt": dict,
        "rss_growth_bytes": int,
        "fd_growth": int,
    },
    "gateway": {
        "ready_ms": float,
        "idle_cpu_percent": float,
        "idle_rss_bytes": int,
        "fleet_cpu_percent": float,
        "device_rss_bytes": int,
        "gateway_p50_ms": float,
        "gateway_p99_ms": float,
        "reconnect_1000_s": float,
        "page_loss_percent": float,
        "page_p99_ms": float,
        "outage_device_rss_bytes": int,
    },
    "page": {
        "without_per_second": int,
        "with_per_second": int,
        "in_use_per_second": int,
        "cost_percent": float,
        "in_use_cost_percent": float,
    },
    "device_cpu": {"seal_us": float, "open_us": float},
}
NEEDS_MICROPYTHON = ("device_footprint", "device_cpu")
NEEDS_PROC = ("flood", "gateway")
# What every benchmark says about its run.
SURROUNDINGS = {"benchmark", "quick", "machine", "python", "versions"}
NOTHING_TO_LOSE = ("device_cpu",)


def run(name: str, *options: str) -> str:
    command = [sys.executable, str(BENCH / f"{name}.py"), "--quick", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", KEYS)
def test_it_runs_and_loses_nothing(name: str) -> None:
    if name in NEEDS_MICROPYTHON and micropython() is None:
        pytest.skip("no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one")
    if name in NEEDS_PROC and not Path("/proc/self/fd").is_dir():
        pytest.skip("memory and descriptors of another process are read from /proc, which Linux has")
    figures: dict[str, Any] = json.loads(run(name, "--json"))
    wrong = {key: figures.get(key) for key, kind in KEYS[name].items() if type(figures.get(key)) is not kind}
    assert not wrong
    assert name in NOTHING_TO_LOSE or figures["lost"] == 0


def documented_keys() -> list[set[str]]:
    """The keys of each table that tells what the figures of the hive mean."""
    page = HIVE_PAGE.read_text().partition("## How fast it is")[2].partition("\n## ")[0]
    columns = [re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for table in page.split("\n\n")]
    return [set(re.findall(r"`(\w+)`", " ".join(column))) for column in columns if column]


def test_figures_of_the_hive_are_those_of_its_page(tmp_path: Path) -> None:
    figures: dict[str, Any] = json.loads(run("hive", "--json", "--original", str(tmp_path / "missing")))
    keys, keys_of_a_way = documented_keys()
    assert set(figures) == keys | SURROUNDINGS
    assert figures["original"].startswith("not measured: ")
    ways = {name: figures[name] for name in figures["drift"]}
    assert {"websocket", "websocket_secret", "websocket_lean"} <= set(ways)
    assert [name for name, way in ways.items() if set(way) != keys_of_a_way] == []
    for held in figures["drift"].values():
        assert set(held) == {"caller", "worker"}
        assert all(set(kinds) == {"rss", "threads", "fds"} for kinds in held.values())


def test_a_table_for_people() -> None:
    lines = run("wire_bytes").splitlines()
    assert any(line.startswith("sealed_bytes ") for line in lines)


def test_every_benchmark_is_tried() -> None:
    helpers = {"support", "stand", "service"}
    assert {path.stem for path in BENCH.glob("*.py")} == set(KEYS) | helpers
