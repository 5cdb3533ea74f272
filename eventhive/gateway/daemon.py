"""The gateway put together: key file, links, bridge, networks, control socket."""

import asyncio
import gc
import logging
import os
import time
from collections.abc import Callable
from typing import Any

from ..core.errors import LocalError
from ..core.version import VERSION
from ..websocket import Listener, descriptors, serve
from . import networks
from .bridge import Bridge
from .consoles import Watcher
from .control import ControlServer, Talk
from .device import Device
from .devices import Devices, Enrolled
from .keys import KeyStore
from .presence import Presence, time_ms
from .reloading import take_over
from .serial_ports import SerialPorts
from .spool import Spool
from .statuses import status
from .websocket_link import WebsocketLinks

# How exact heartbeats and deadlines of devices are, and how often serial lines are looked at for a repetition.
TICK_MS = 500
SERIAL_TICK_MS = 50
# More is not counted at a time: a gateway that was held up, or whose machine was suspended, has not read what devices
# sent meanwhile, and must not take them for silent.
MAX_TICK_MS = 2 * TICK_MS

# New objects until the garbage collector looks at the youngest: some thousand events' worth, a few megabytes at most.
GARBAGE_THRESHOLD = 20_000

# How long a port is left to somebody who writes a board's files: erasing and writing a firmware takes two minutes.
MAX_LEND_S = 600

logger = logging.getLogger("eventhive.gateway")


class Gateway:
    """A running gateway, in the loop of a hive. `config` is the checked configuration with its `gateway` section.

    `reread()` gives it as it is written now, or raises `LocalError`. `whole` is the configuration that it runs with.
    """

    def __init__(self, config: Any, hive: Any, reread: Callable[[], Any]):
        self.whole = config
        self.config = config.gateway
        self._reread = reread
        self.keys = KeyStore(self.config.keys)
        key, ttl_s = config.eventhive.metadata_key, self.config.command_ttl
        self.devices = Devices(os.urandom, list(config.connectors), key, monotonic_ms, ttl_s)
        self.devices.promoted = self._promote
        self.bridge = Bridge(self.devices, hive.networks, time_ms)
        self.presence = Presence(self.bridge, config)
        self.address = ""
        # When the keys of devices came into use, in seconds since 1970; 0 where that is not known.
        self.since: dict[str, int] = {}
        self.spool: Spool | None = None
        self._limited: list[Device] = []
        self.hive = hive
        self._reloading = asyncio.Lock()
        self.serial = SerialPorts(self.bridge)
        self._links: WebsocketLinks | None = None
        self._server: Listener | None = None
        self._page: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._control = ControlServer(
            self.config.control,
            {
                "ping": self._ping,
                "reload": self._reload,
                "reload_keys": self._reload_keys,
                "devices": self._list,
                "networks": self._networks,
                "ports": self._ports,
                "lend": self._lend,
            },
            {"console": self._watch},
        )

    async def start(self) -> None:
        """Read the keys and open all links; `LocalError` says which could not be opened and why."""
        # What was loaded so far stays, and events leave no cycles: looking often takes a twentieth of the time.
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        self.bridge.soon = asyncio.get_running_loop().call_soon
        # First of all: it says when another gateway is running here.
        await self._control.start()
        if self.config.spool is not None:
            self._open_spool(self.config.spool)
        self.presence.memory.open()
        self.load_keys()
        self._begin(self.presence.memory.run())
        if self.config.websocket is not None:
            await self._listen(self.config.websocket)
        self.serial.configure(self.config.serial)
        self._begin(self._tick())
        if self.spool is not None:
            self.spool.start()
            self._begin(self.spool.run())
        if self.config.http is not None:
            from .view import open_page

            self._page = await open_page(self)

    async def stop(self) -> None:
        """Say goodbye to all devices and close everything."""
        if self._page is not None:
            await self._page.stop()
        if self._server is not None:
            self._server.close()
        if self._links is not None:
            self._links.close()
        self.serial.stop()
        if self.spool is not None:
            await self.spool.stop(self.devices.by_name.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.serial.end()
        await self.presence.stop()
        await self._control.stop()

    def load_keys(self) -> int:
        """Take over the key file; returns how many devices it names."""
        entries = self.keys.load()
        if self.spool is not None:
            for name, device in self.devices.by_name.items():
                if device.enrolled and name not in entries:
                    self.spool.forget(name)
        self.bridge.enrol(
            {
                name: Enrolled(
                    entry.key,
                    entry.keygen,
                    list(entry.publish),
                    list(entry.receive),
                    (entry.next_key, entry.next_keygen) if entry.next_key else None,
                    entry.rate,
                    entry.burst,
                    entry.size,
                    entry.ttl,
                )
                for name, entry in entries.items()
            }
        )
        self.presence.enrol()
        self._limited = [device for device in self.devices.by_name.values() if device.rights.rate]
        self.since = {name: entry.since for name, entry in entries.items()}
        return len(entries)

    def _open_spool(self, config: Any) -> None:
        self.spool = Spool(config.file, config.synchronous, self.devices.by_name.get)
        self.devices.kept_marks = self.spool.open()
        for network in self.hive.networks.values():
            networks.open_outlet(self, network, self.whole)

    def _promote(self, name: str, key: bytes) -> None:
        try:
            self.keys.promote(name, key)
            self.since[name] = int(time.time())
        except LocalError as error:
            # Both keys are good after a restart then, until the new one is used again.
            logger.error("device %s: its old key is still in the file: %s", name, error)

    async def _listen(self, websocket: Any) -> None:
        links = self._links = WebsocketLinks(self.bridge, websocket.endpoint, self.config.insecure, descriptors())
        self._server = await serve(links, websocket.host, websocket.port, self.config.tls(), links.admits)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"{websocket.scheme}://{host}:{port}{websocket.endpoint}"
        logger.info("devices connect to %s", self.address)

    def _begin(self, coroutine: Any) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(coroutine))

    async def _tick(self) -> None:
        last = time.monotonic()
        slow_ms = 0
        while True:
            await asyncio.sleep((SERIAL_TICK_MS if self.serial.links else TICK_MS) / 1000)
            now = time.monotonic()
            elapsed_ms = passed_ms(last, now)
            last = now
            self.serial.tick(elapsed_ms)
            self.bridge.strangers.tick()
            for device in self._limited:
                device.refill(elapsed_ms)
            slow_ms += elapsed_ms
            if slow_ms >= TICK_MS:
                for _ in self._links.ticks(slow_ms) if self._links is not None else ():
                    await asyncio.sleep(0)
                for device in self.devices.by_name.values():
                    if device.outbox.entries:
                        device.expire()
                self.presence.tick()
                slow_ms = 0

    def _ping(self, request: dict[str, Any]) -> dict[str, Any]:
        page = self._page.address if self._page is not None else ""
        return {"address": self.address, "page": page, "pid": os.getpid(), "version": VERSION}

    async def _reload(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self._reloading:
            return await take_over(self, self._reread())

    def _reload_keys(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"devices": self.load_keys()}

    def statuses(self) -> list[dict[str, Any]]:
        """Counters and states of all devices, whose round trips are measured for whoever asks again."""
        for device in self.devices.by_name.values():
            device.measure()
        return [status(device, self.presence.of(device)) for device in self.devices.by_name.values()]

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"devices": self.statuses()}

    def _networks(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"networks": self.spool.status() if self.spool is not None else {}}

    def _ports(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ports": self.serial.status()}

    def _watch(self, request: dict[str, Any]) -> Talk:
        name = request.get("name")
        device = self.devices.by_name.get(name) if isinstance(name, str) else None
        link = self.serial.find(device.address if device is not None else name)
        if link is not None:
            return Watcher(link).talk
        if device is None:
            raise LocalError(f"there is no device {name!r}: 'eventhive device list' shows them")
        if not device.address:
            raise LocalError(f"device '{name}' has not been connected since the gateway was started")
        raise LocalError(
            f"device '{name}' is connected over a websocket, from {device.address}, and that carries no console: look"
            " at it over its USB cable (mpremote)"
        )

    def _lend(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self.serial.find(request.get("port"))
        seconds = request.get("seconds")
        if found is None or type(seconds) is not int or not 0 <= seconds <= MAX_LEND_S:
            raise LocalError(
                f"lend: 'port', which is one of 'serial:', and 'seconds', up to {MAX_LEND_S}; 0 gives it back"
            )
        found.lend(seconds)
        return {}


def passed_ms(last: float, now: float) -> int:
    """Milliseconds that devices had to let themselves be heard, between two ticks at these seconds."""
    return min(int((now - last) * 1000), MAX_TICK_MS)


def monotonic_ms() -> int:
    """Milliseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000
