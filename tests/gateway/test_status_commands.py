"""`eventhive gateway check` and `status`, as processes, with a gateway and a device that runs MicroPython."""

import json

import pytest
from boards import EVENT, Place

from eventhive.device.tools import micropython


class TestCheck:
    def test_a_good_one(self, place: Place) -> None:
        place.enrol("s1")
        done = place.command("gateway", "check")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "gateway.yaml: can be used"
        assert f"devices at: ws://127.0.0.1:{place.port}/device" in done.stdout
        assert "(1 devices)" in done.stdout
        found = json.loads(place.command("gateway", "check", "--json").stdout)
        assert found["networks"] == ["my-hive (memory)"]

    @pytest.mark.parametrize(
        ("more", "why"),
        [
            ("  spol: {}\n", "gateway.yaml:6:3: unknown key 'spol' in gateway (did you mean 'spool'?)"),
            ("  command_ttl: soon\n", "gateway.yaml:6:3: gateway.command_ttl: "),
        ],
    )
    def test_a_fault_is_one_line_with_its_place(self, place: Place, more: str, why: str) -> None:
        place.add(more)
        done = place.command("gateway", "check")
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert why in line

    def test_keys_that_others_may_read(self, place: Place) -> None:
        place.enrol("s1")
        place.keys.path.chmod(0o644)
        done = place.command("gateway", "check")
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert "chmod 600" in done.stderr


class TestStatus:
    def test_without_a_gateway(self, place: Place) -> None:
        done = place.command("gateway", "status")
        assert done.returncode == 3
        assert "no gateway is running" in done.stderr and "eventhive gateway --config gateway.yaml" in done.stderr

    @pytest.mark.skipif(
        micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
    )
    def test_devices(self, place: Place) -> None:
        hub = place.hub("queen/event")
        board = place.board(place.settings("s1", status=1))
        place.enrol("s2")
        board.expect("link up")
        board.call(EVENT, 1)
        hub.arrived("queen/event", 1)
        lines = place.command("gateway", "status").stdout.splitlines()
        assert lines[0].split() == ["DEVICE", "STATE", "LINK", "FROM", "SEEN", "EVENTS", "WAIT", "LOST", "TRIP", "HEAP"]
        rows = {line.split()[0]: line.split() for line in lines[1 : lines.index("")]}
        assert rows["s1"][1:3] == ["online", "websocket"]
        assert rows["s2"][1] == "away"
        port = f"{place.folder}/port"
        assert [line.split()[:2] for line in lines if line.startswith(port)] == [[port, "absent"]]
        # The first look had it measured.
        found = json.loads(place.command("gateway", "status", "--json").stdout)
        trips = {device["name"]: device["round_trip_ms"] for device in found["devices"]}
        assert 0 <= trips["s1"] < 10_000 and trips["s2"] is None
        assert [device["events"] for device in found["devices"] if device["name"] == "s1"] == [1]
