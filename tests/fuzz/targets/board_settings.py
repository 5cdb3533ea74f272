"""`eventhive.json`, the configuration of a board: `micro/settings.py`, from a file."""

import os

from cutting import DEEP
from device import module

from eventhive.core.errors import LocalError

PORTABLE = True
STREAM = False
LONGEST = 500
SHARE = 4
ERRORS = (LocalError,)

_path = None


def feed(pieces, seen):
    with open(path(), "wb") as file:
        file.write(pieces[0])
    found = module("settings").read(path())
    seen.append(sorted(found))


def path():
    """One file for all inputs."""
    global _path
    if _path is None:
        _path = "fuzzed.json"
        if hasattr(os, "getpid"):
            import tempfile

            _path = os.path.join(tempfile.mkdtemp(), _path)
    return _path


def seeds():
    key = b"0123456789abcdef" * 4
    return {
        "websocket": b'{"id": "sensor-1", "key": "%s", "link": {"type": "websocket", "host": "192.168.1.10",'
        b' "port": 8086, "endpoint": "/device"}, "connectors":'
        b' {"my-hive": {"input_channel": "sensor-1"}}, "heartbeat": 20}' % key,
        "serial": b'{"id": "a", "link": {"type": "serial", "device": "/dev/tty"}, "connectors": {}, "keygen": 1,'
        b' "eventhive": {"remove_metadata": false}, "wifi": {"ssid": "s", "password": "p"}, "outbox_bytes": 4096}',
        "wrong-type": b'{"id": "a", "link": {"type": "websocket", "host": 1}, "connectors": []}',
        "unknown": b'{"idd": "a"}',
        "deep": DEEP,
        "no-object": b"[]",
    }
