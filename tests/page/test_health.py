"""Health and metrics of a running gateway, read by a client and by the parser of Prometheus' own library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from boards import ROOT, Place
from pages import PagePlace
from prometheus_client.parser import text_string_to_metric_families

from eventhive.cli.chaos.ports import free_port
from eventhive.page.metrics import metrics
from eventhive.page.prometheus import BOUNDS
from eventhive.page.telemetry import MAX_LABELS, NOTED_PER_S, OTHERS, PART, SAMPLE_S, Telemetry


def families(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by its name and labels; none twice."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {})
            found[sample.name][labels] = sample.value
    return found


def test_health_and_readiness(page: PagePlace) -> None:
    page.start()
    health, ready = page.ask("/healthz"), page.ask("/readyz")
    assert (health.status, health.text) == (200, "ok\n")
    assert (ready.status, ready.text) == (200, "ready\n")


def test_a_gateway_without_its_network_is_not_ready(page: PagePlace) -> None:
    network = f"connectors: {{my-hive: {{pubsub_type: websocket, init: {{port: {free_port()}}}}}}}\n"
    text = (page.place.folder / "gateway.yaml").read_text()
    (page.place.folder / "gateway.yaml").write_text(network + text[text.index("gateway:") :])
    page.start()
    ready = page.ask("/readyz")
    assert (ready.status, ready.text) == (503, "not ready\n")
    assert page.ask("/healthz").status == 200
    found = families(page.ask("/metrics").text)
    assert found["eventhive_ready"] == {(): 0.0}
    assert found["eventhive_network_connected"] == {(("network", "my-hive"),): 0.0}


def test_the_metrics_of_a_gateway(page: PagePlace) -> None:
    page.place.enrol("s1")
    page.start()
    answer = page.ask("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = families(answer.text)
    # Nobody knows yet whether it comes.
    states = {"online": 0.0, "offline": 0.0, "asleep": 0.0, "unknown": 1.0}
    assert found["eventhive_devices"] == {(("state", state),): count for state, count in states.items()}
    assert found["eventhive_device_events_total"] == {(("device", "s1"),): 0.0}
    assert found["eventhive_network_connected"] == {(("network", "my-hive"),): 1.0}
    assert found["eventhive_page_connections"] == {(): 1.0}


class Source:
    """A gateway of many devices."""

    def __init__(self, count: int, network: str = "my-hive"):
        self.count = count
        self.network = network

    def ready(self) -> bool:
        return True

    def gateway(self) -> dict[str, object]:
        return {"version": "1", "uptime_s": 5}

    def networks(self) -> dict[str, dict[str, object]]:
        return {self.network: {"connected": True, "state": "up", "events": 3, "dropped": 2}}

    def ports(self) -> list[dict[str, object]]:
        one, other = {"port": "/dev/ttyACM0", "state": "open"}, {"port": "usb", "state": "busy"}
        return [{**one, "returned": 3}, {**other, "returned": 0}]

    def devices(self) -> list[dict[str, object]]:
        counters = dict.fromkeys(("waiting", "events", "rejected", "refused", "undelivered", "expired"), 2)
        reported = {"heap": 7, 'x"} 1\nevil': 9, "waiting": [1], "version": "1"}
        same = {"state": "online", "flapping": False, "round_trip_ms": 12, "reported": reported, **counters}
        return [{"name": f"d{n}", "online": n % 2 == 0, **same} for n in range(self.count)]


def test_labels_are_bounded() -> None:
    telemetry = Telemetry()
    for number in range(3 * MAX_LABELS):
        telemetry.timer(f"d{number}", "my-hive")(0.002)
    source = Source(3 * MAX_LABELS)
    found = families(metrics(source, telemetry, {}))  # type: ignore[arg-type]
    for name, samples in found.items():
        devices = {dict(labels)["device"] for labels in samples if "device" in dict(labels)}
        assert len(devices) in (0, MAX_LABELS, MAX_LABELS + 1), name
    assert found["eventhive_device_events_total"][(("device", OTHERS),)] == 2 * 2 * MAX_LABELS
    assert found["eventhive_device_event_seconds_count"][(("device", OTHERS),)] == 2 * MAX_LABELS
    assert found["eventhive_network_event_seconds_count"] == {(("network", "my-hive"),): 3 * MAX_LABELS}


def test_serial_ports() -> None:
    found = families(metrics(Source(0), Telemetry(), {}))  # type: ignore[arg-type]
    assert found["eventhive_serial_port_open"] == {(("port", "/dev/ttyACM0"),): 1.0, (("port", "usb"),): 0.0}
    assert found["eventhive_serial_port_returned_total"][(("port", "/dev/ttyACM0"),)] == 3.0


def test_nothing_that_a_device_says_becomes_a_label_or_a_line() -> None:
    text = metrics(Source(1), Telemetry(), {})  # type: ignore[arg-type]
    assert "evil" not in text
    assert families(text)["eventhive_device_heap_bytes"] == {(("device", "d0"),): 7}
    assert "eventhive_device_outbox_events" not in families(text)
    assert families(text)["eventhive_device_round_trip_seconds"] == {(("device", "d0"),): 0.012}


def test_a_hostile_name_of_a_network_is_a_label() -> None:
    network = 'a"} 1\nevil{x="\\'
    found = families(metrics(Source(0, network), Telemetry(), {}))  # type: ignore[arg-type]
    assert found["eventhive_network_connected"] == {(("network", network),): 1.0}
    assert "evil" not in found


def test_a_histogram() -> None:
    telemetry = Telemetry()
    for seconds in (0.00005, 0.0001, 0.5, 100):
        telemetry.timer("d0", "my-hive")(seconds)
    found = families(metrics(Source(1), telemetry, {}))  # type: ignore[arg-type]
    buckets = found["eventhive_device_event_seconds_bucket"]
    counts = [buckets[(("device", "d0"), ("le", str(bound)))] for bound in (*BOUNDS, "+Inf")]
    assert counts == [2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4]
    assert found["eventhive_device_event_seconds_sum"][(("device", "d0"),)] == pytest.approx(100.50015)


def test_rates_follow_and_end() -> None:
    telemetry = Telemetry()
    for count in range(20):
        telemetry.sample([("d0", 10 * count)], 1.0)
    assert telemetry.devices["d0"].rate == pytest.approx(10, rel=0.05)
    for _ in range(40):
        telemetry.sample([("d0", 190)], 1.0)
    assert telemetry.devices["d0"].rate == 0
    telemetry.sample([], 1.0)
    assert telemetry.devices == {}


def test_how_late_the_loop_is_fades() -> None:
    telemetry = Telemetry()
    telemetry.sample([], SAMPLE_S)
    assert telemetry.lag_s == 0
    telemetry.sample([], SAMPLE_S + 0.5)
    assert telemetry.lag_s == 0.5
    for _ in range(60):
        telemetry.sample([], SAMPLE_S)
    assert 0 < telemetry.lag_s < 0.001
    assert families(metrics(Source(0), telemetry, {}))["eventhive_loop_lag_seconds"] == {  # type: ignore[arg-type]
        (): telemetry.lag_s
    }


def test_a_flood_is_noted_in_part_and_whoever_sends_seldom_all_the_same() -> None:
    telemetry, noted = Telemetry(), 0
    for number in range(20 * NOTED_PER_S):
        now = 1000 + number / (10 * NOTED_PER_S)
        noted += telemetry.notes("loud", now)
        if number % (10 * NOTED_PER_S) == PART:
            assert telemetry.notes("seldom", now)
    assert 2 * NOTED_PER_S - PART <= noted <= 2 * NOTED_PER_S + PART
    assert telemetry.left_out == 20 * NOTED_PER_S - noted
    # A time of day that is set back or on holds up nothing.
    assert telemetry.notes("loud", 1.0)
    assert telemetry.notes("loud", 1e9)
    assert families(metrics(Source(0), telemetry, {}))["eventhive_events_left_out_total"] == {  # type: ignore[arg-type]
        (): telemetry.left_out
    }


WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "aiohttp":
            raise ModuleNotFoundError("No module named 'aiohttp'", name="aiohttp")
sys.meta_path.insert(0, Absent())
from eventhive.cli.main import main
sys.exit(main(["gateway", "-c", "gateway.yaml"]))
"""


def run(folder: Path, program: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_without_its_library_the_page_says_what_to_install(place: Place) -> None:
    place.add(f"  http: {{port: {free_port()}}}\n")
    done = run(place.folder, WITHOUT)
    assert done.returncode == 1
    assert "the page needs a library that is not installed: pip install 'eventhive[page]'" in done.stderr
    assert "Traceback" not in done.stderr


LOADED = """
import json, sys, eventhive
eventhive.CONFIG.read_file("gateway.yaml")
eventhive.init()
print(json.dumps([name for name in sys.modules if name.startswith(("aiohttp", "eventhive.page"))]))
eventhive.stop()
"""


def test_without_a_page_nothing_of_it_is_loaded(place: Place) -> None:
    done = run(place.folder, LOADED)
    assert json.loads(done.stdout) == []
