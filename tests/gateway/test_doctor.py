"""`eventhive doctor` beside a gateway that runs, with a device that runs MicroPython."""

import datetime
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from boards import DEADLINE_S, EVENT, Place, Process, free_port, status
from moved_clock import MovedClock

from eventhive.core.version import VERSION
from eventhive.device.tools import micropython


def told(place: Place, code: int) -> list[dict[str, Any]]:
    done = place.command("doctor", "--json")
    assert (done.returncode, done.stderr) == (code, "")
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return findings


def plugged(place: Place, process: Process) -> Process:
    """A gateway that has opened its serial port."""
    process.expect(f"serial port {place.folder}/port: open")
    return process


def texts(findings: list[dict[str, Any]], section: str) -> list[str]:
    return [one["text"] for one in findings if one["section"] == section]


@pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)
def test_beside_a_gateway_that_runs(place: Place) -> None:
    place.plug()
    hub = place.hub("queen/event")
    plugged(place, hub)
    board = place.board(place.settings("s1", status=1))
    place.enrol("s2")
    board.expect("link up")
    board.call(EVENT, 1)
    hub.arrived("queen/event", 1)
    end = time.monotonic() + DEADLINE_S
    while not status(place, "s1")["reported"]:
        assert time.monotonic() < end, "it reports nothing"
    findings = told(place, 0)
    assert f"the gateway runs (process {hub.process.pid})" in texts(findings, "configuration")
    assert f"{place.folder}/port: the gateway has it open" in texts(findings, "serial ports")
    assert texts(findings, "listening") == [f"devices: 127.0.0.1:{place.port}: the gateway listens"]
    assert texts(findings, "devices") == [
        "2 devices are enrolled",
        "1 of 2 are connected",
        "have never been here: s2",
        f"boards that tell their version run {VERSION}, as this gateway does",
    ]


def test_a_port_that_is_away(place: Place) -> None:
    hub = place.hub()
    hub.expect("waiting for it")
    (one,) = [one for one in told(place, 1) if one["level"] == "problem"]
    assert one["section"] == "serial ports" and one["text"].startswith(f"{place.folder}/port: No such file")


def test_a_file_that_was_changed_since(place: Place) -> None:
    place.plug()
    plugged(place, place.hub())
    (place.folder / "gateway.yaml").write_text(
        (place.folder / "gateway.yaml").read_text().replace(str(place.port), str(free_port()))
    )
    (one,) = [one for one in told(place, 0) if one["section"] == "listening"]
    assert one["level"] == "warning" and "the gateway that runs does not listen there" in one["text"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_account(place: Place) -> None:
    place.plug()
    place.enrol("s1")
    plugged(place, place.hub())
    os.chown(place.keys.path, 12345, 12345)
    (one,) = [one for one in told(place, 1) if one["level"] == "problem"]
    assert one["section"] == "files" and "belongs to 12345, and the gateway runs as root" in one["text"]
    assert one["todo"].startswith(f"chown root {place.keys.path}")


TLS = Path(__file__).parents[1] / "hive" / "tls"
# When the certificate there ends.
END = datetime.date(2120, 1, 1)


@pytest.mark.parametrize(
    ("days", "level", "text"),
    [
        (-100, "ok", "good for "),
        (-10, "warning", "it ends in "),
        (3, "problem", "certificate has expired: clients refuse it"),
        (-110 * 365, "problem", "certificate is not yet valid: clients refuse it"),
    ],
)
def test_a_certificate_ends(place: Place, clock: MovedClock, days: int, level: str, text: str) -> None:
    (place.folder / "key.pem").write_bytes((TLS / "server.key").read_bytes())
    (place.folder / "key.pem").chmod(0o600)
    files = f"cert: {TLS}/server.pem, key: {place.folder}/key.pem"
    config = (place.folder / "gateway.yaml").read_text().partition("  serial:")[0]
    (place.folder / "gateway.yaml").write_text(config.replace("websocket: {", f"websocket: {{scheme: wss, {files}, "))
    clock.move((END - datetime.date.today()).days + days)
    done = place.command("doctor", "--json", **clock.environment)
    (one,) = [one for one in json.loads(done.stdout)["findings"] if one["section"] == "certificates"]
    assert one["level"] == level and one["text"].startswith(f"devices: cert {TLS}/server.pem: ") and text in one["text"]


def test_more_devices_than_descriptors(place: Place) -> None:
    place.plug()
    entries = {f"d{n}": {"key": f"{n:064x}", "keygen": 0, "publish": ["*/*/*"], "receive": []} for n in range(200)}
    place.keys.path.write_text(json.dumps(entries))
    place.keys.path.chmod(0o600)
    shell = f"ulimit -n 256; exec {sys.executable} -m eventhive gateway"
    plugged(place, place.start(Process(["sh", "-c", shell], place.folder)))
    assert (
        "the gateway may have 256 files and connections open, and 200 devices are enrolled"
        in texts(told(place, 0), "devices")
    )


def test_an_older_gateway_that_still_runs(place: Place) -> None:
    place.plug()
    program = "import eventhive.gateway.daemon as daemon\ndaemon.VERSION = '0.9.0'\n"
    program += "import sys\nfrom eventhive.cli.main import main\nsys.exit(main(['gateway']))\n"
    process = place.start(Process([sys.executable, "-c", program], place.folder))
    plugged(place, process).expect("eventhive gateway: ready")
    found = told(place, 0)
    assert f"the gateway that runs is of version 0.9.0, and {VERSION} is installed" in texts(found, "configuration")
