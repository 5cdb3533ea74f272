"""A gateway that cannot start says why in one line, names what is at fault, and ends with exit code 1."""

import json
import socket
from pathlib import Path

import pytest
from boards import Place

KEY = "5a" * 32
ENTRY = {"key": KEY, "keygen": 0, "publish": ["my-hive/*/*"], "receive": ["a/*"]}


def why(place: Place) -> str:
    """The one line of a gateway that does not start."""
    done = place.command("gateway", "--log-level", "warning")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("eventhive: ")
    assert not (place.folder / "gateway.sock").exists()
    return done.stderr


def test_a_port_in_use(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        assert why(place) == (
            f"eventhive: cannot listen on 127.0.0.1:{place.port}: another program listens there: stop it, or configure "
            "another port\n"
        )


def test_a_port_in_use_for_the_network(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        place.add(f"servers:\n  my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}\n")
        assert f"cannot listen on 127.0.0.1:{port}: another program listens there" in why(place)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "not JSON"),
        (json.dumps({"a": {**ENTRY, "key": "5a"}}), "device 'a': 'key' must be 64 hex digits"),
        (json.dumps({"a": {key: ENTRY[key] for key in ENTRY if key != "key"}}), "device 'a': 'key' is missing"),
    ],
)
def test_a_key_file_that_cannot_be_used(place: Place, text: str, fault: str) -> None:
    path = place.folder / "gateway.keys"
    path.touch(mode=0o600)
    path.write_text(text)
    line = why(place)
    assert f"key file {path}: {fault}" in line
    assert KEY not in line


def test_a_key_file_that_others_may_read(place: Place) -> None:
    path = place.folder / "gateway.keys"
    path.touch(mode=0o600)
    path.write_text("{}")
    path.chmod(0o640)
    assert f"key file {path}: others may read it (mode 640): chmod 600 {path}" in why(place)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("  insekure: true\n", "unknown key 'insekure' in gateway (did you mean 'insecure'?)"),
        ("  insecure: perhaps\n", "gateway.insecure: true or false is needed, not 'perhaps'"),
        ("  keys: 7\n", "gateway.keys: a text is needed, not 7: put it in quotes"),
    ],
)
def test_a_configuration_that_cannot_be_used(place: Place, more: str, fault: str) -> None:
    place.add(more)
    lines = len((place.folder / "gateway.yaml").read_text().splitlines())
    assert why(place) == f"eventhive: gateway.yaml:{lines}:3: {fault}\n"


def test_a_serial_port_that_is_a_file_is_waited_for(place: Place) -> None:
    """What stands in the place of a port may be right tomorrow: the gateway starts."""
    Path(place.folder / "port").write_text("no port")
    hub = place.hub("queen/event")
    said = hub.expect(f"serial port {place.folder}/port")[0]
    assert "waiting for it: it is no serial port: correct 'serial:'" in said
