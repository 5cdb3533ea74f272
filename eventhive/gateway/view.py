"""The gateway as its page sees it (`page.source.Source`), and the start of that page."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import LocalError
from ..core.outcomes import NobodyHooks, RemoteError, RequestTimeout
from ..core.version import VERSION
from ..page.notes import Notes
from ..page.source import UnknownDeviceError
from ..websocket import serve
from .bridge import Bridge
from .device import Device, Receipt

if TYPE_CHECKING:
    from ..page.server import Page
    from .daemon import Gateway

_MISSING = "gateway: http: the page needs a library that is not installed: pip install 'eventhive[page]'"


class View:
    """What a page may know of a gateway."""

    def __init__(self, gateway: "Gateway"):
        self._bridge = gateway.bridge
        self._spool = gateway.spool
        self._gateway = gateway
        self._began = time.monotonic()
        self._networks: Any = gateway.bridge.networks

    def devices(self) -> list[dict[str, Any]]:
        """See `Source`."""
        return self._gateway.statuses()

    def ports(self) -> list[dict[str, Any]]:
        """See `Source`."""
        return self._gateway.serial.status()

    def ready(self) -> bool:
        """See `Source`."""
        return all(network.connected for network in self._networks.values())

    def gateway(self) -> dict[str, Any]:
        """See `Source`."""
        return {
            "version": VERSION,
            "uptime_s": int(time.monotonic() - self._began),
            "memory_bytes": resident_bytes(),
        }

    def networks(self) -> dict[str, dict[str, Any]]:
        """See `Source`."""
        spool = self._spool.status() if self._spool is not None else {}
        return {
            name: {
                **spool.get(name, {}),
                "connected": network.connected,
                "state": network.connector.state,
                "connections": network.connections,
                "calls_dropped": network.dropped,
            }
            for name, network in self._networks.items()
        }

    def pulse(self) -> Iterator[tuple[str, int]]:
        """See `Source`."""
        for name, device in self._bridge.devices.by_name.items():
            yield name, device.events

    def device(self, name: str) -> dict[str, Any]:
        """See `Source`."""
        device = self._device(name)
        rights = device.rights
        return {
            "publish": list(rights.publish),
            "receive": list(rights.receive),
            "rate": rights.rate,
            "burst": rights.burst if rights.rate else 0,
            "size": rights.size,
            "ttl_s": rights.ttl_s,
            "hooks": sorted(device.hooks),
            "key_since": self._gateway.since.get(name) or None,
            "keygen": device.secret[1] if device.secret is not None else None,
        }

    async def request(self, name: str, event: str, data: Any, seconds: float) -> Any:
        """See `Source`."""
        device = self._device(name)
        if event not in device.hooks:
            raise UnknownDeviceError(f"device '{name}' does not hook {event}")
        question = Question(event, data)
        device.ask(event, question)
        try:
            return await asyncio.wait_for(question.answered, seconds)
        except TimeoutError:
            raise RequestTimeout(f"{event}: no reply within {seconds:g} s") from None

    def _device(self, name: str) -> Device:
        device = self._bridge.devices.by_name.get(name)
        if device is None:
            raise UnknownDeviceError(f"there is no device '{name}'")
        return device


def resident_bytes() -> int | None:
    """Memory of this process; None where the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


class Question:
    """A request of the page; `answered` has what the hook returned, or a `RequestError`."""

    def __init__(self, event: str, data: Any):
        self.data = data
        self.answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._event = event

    def answer(self, value: Any) -> None:
        """With what a hook returned."""
        if not self.answered.done():
            self.answered.set_result(value)

    def fail(self, why: str) -> None:
        """With why there is no answer."""
        self._end(RemoteError(f"{self._event}: {why}"))

    def nobody(self) -> None:
        """With: no function hooks it there."""
        self._end(NobodyHooks(f"{self._event}: no function hooks it"))

    def _end(self, error: Exception) -> None:
        if not self.answered.done():
            self.answered.set_exception(error)


class TimedReceipt(Receipt):
    """A receipt that tells, once, how long it took until its event was confirmed."""

    __slots__ = ("_since", "_took", "_waits")

    def __init__(self, receipt: Receipt, took: Callable[[float], None]):
        self._since = time.monotonic()
        self._took: Callable[[float], None] | None = took
        self._waits = True
        # In place of the base class's, which takes twice as long: there is one for each event.
        self.device, self.mark, self.number, self.covered = receipt.device, receipt.mark, receipt.number, False

    @property
    def waits(self) -> bool:
        """As for any receipt."""
        return self._waits

    @waits.setter
    def waits(self, value: bool) -> None:
        self._waits = value
        if not value and self._took is not None:
            took, self._took = self._took, None
            took(time.monotonic() - self._since)


def watch(bridge: Bridge, notes: Notes) -> None:
    """Have noted what devices send, what is for them, and what they print."""
    printed_before = bridge.printed

    def printed(device: str, port: str, text: str) -> None:
        printed_before(device, port, text)
        notes.consoles.note(device, text, time.time())

    bridge.printed = printed

    def watched(network: Any, name: str, data: object, receipt: Receipt) -> Receipt:
        device, now = receipt.device.name, time.time()
        if network is None or not notes.telemetry.notes(device, now):
            return receipt
        notes.arrived(device, name, data, now)
        return TimedReceipt(receipt, notes.telemetry.timer(device, network.name))

    bridge.watch = watched
    bridge.devices.watch(lambda device, name, data: notes.sent(device, name, data, time.time()))


async def open_page(gateway: "Gateway") -> "Page":
    """Start the page of a gateway that has one; `LocalError` says why that is not possible."""
    try:
        from ..page.server import Page
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "aiohttp":
            raise
        raise LocalError(_MISSING) from None
    notes, config = Notes(), gateway.config.http
    page = Page(
        config,
        View(gateway),
        notes,
        lambda factory, admits: serve(factory, config.host, config.port, config.tls(), admits),
    )
    await page.start()
    watch(gateway.bridge, notes)
    return page
