"""What the demo is made of: a private folder, a hive with a gateway in this process, a cable, and two boards."""

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import eventhive

from ...gateway.control import NotRunningError, request
from ...gateway.keys import KeyStore
from .board import Board, cpython, interpreter, stage_tree
from .cable import Cable

NETWORK = "my-hive"
CHANNEL = "demo"
WEBSOCKET_DEVICE = "thermometer-1"
SERIAL_DEVICE = "thermometer-2"

# Port 0 takes one that is free.
CONFIGURATION = """\
connectors:
  {network}: {{pubsub_type: websocket, input_channel: {channel}}}
servers:
  {network}: {{pubsub_type: websocket, create: always, init: {{host: 127.0.0.1, port: 0}}}}
gateway:
  websocket: {{host: 127.0.0.1, port: 0}}
  serial:
    - {{port: {serial}}}
"""


@dataclass(frozen=True)
class State:
    """What a device is connected over, "websocket" or "serial", and whether by its key."""

    link: str | None
    sealed: bool


NEVER_CONNECTED = State(None, False)


class Bench:
    """Everything set up, no device switched on yet; `close` leaves nothing behind.

    `boards` by name; `config` is the path of the gateway's configuration; devices connect to `address` and to `serial`,
    other processes to `hive`. `micropython` is false where the boards run on CPython. Raises `LocalError` and OSError.
    """

    def __init__(self, on_cpython: bool = False):
        command = None if on_cpython else interpreter()
        self.micropython = command is not None
        self.boards: dict[str, Board] = {}
        self._states: dict[str, State] = {}
        with contextlib.ExitStack() as made:
            folder = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="eventhive-demo-")))
            cable = Cable()
            made.callback(cable.close)
            made.callback(eventhive.stop)
            keys = self._start_gateway(folder, cable.ends[0])
            stage_tree(folder / "tree", compiled=self.micropython)
            links = {
                WEBSOCKET_DEVICE: _websocket(self.address),
                SERIAL_DEVICE: {"type": "serial", "device": cable.ends[1]},
            }
            for name, link in links.items():
                settings = _settings(name, keys[name], link)
                self.boards[name] = Board(folder / name, folder / "tree", settings, command or cpython())
                made.callback(self.boards[name].end)
            self._made = made.pop_all()

    def close(self) -> None:
        """End boards, hive and gateway, and remove the folder."""
        self._made.close()

    def state(self, device: str) -> State:
        """A device as the gateway knows it; as it was, where it is no longer connected."""
        with contextlib.suppress(NotRunningError):
            self._ask()
        return self._states.get(device, NEVER_CONNECTED)

    def _ask(self) -> None:
        for known in request(self._control, "devices")["devices"]:
            if known["online"]:
                # Enrolled means sealed: the gateway takes no device whose key it has without that key.
                self._states[known["name"]] = State(known["link"], known["enrolled"])

    def _start_gateway(self, folder: Path, serial: str) -> dict[str, bytes]:
        """Start hive and gateway; returns the keys of the devices."""
        self.serial = serial
        self.config = folder / "gateway.yaml"
        self._control = folder / "gateway.sock"
        text = CONFIGURATION.format(network=NETWORK, channel=CHANNEL, serial=serial)
        self.config.write_text(text, encoding="utf-8")
        store = KeyStore(folder / "gateway.keys")
        keys = {name: store.add(name, [NETWORK]).key for name in (WEBSOCKET_DEVICE, SERIAL_DEVICE)}
        eventhive.CONFIG.read_file(self.config)
        eventhive.init(required=[NETWORK])
        self.address: str = request(self._control, "ping")["address"]
        server = eventhive.SERVERS[NETWORK]
        self.hive = f"{server.host}:{server.port}"
        return keys


def _settings(name: str, key: bytes, link: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "key": key.hex(), "link": link, "connectors": {NETWORK: {"input_channel": name}}}


def _websocket(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    return {"type": "websocket", "host": parts.hostname, "port": parts.port, "endpoint": parts.path}
