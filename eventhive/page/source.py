"""What the page needs of a gateway."""

from collections.abc import Iterable
from typing import Any, Protocol

from ..core.errors import EventHiveError


class UnknownDeviceError(EventHiveError):
    """There is no device, or no hook of it, with this name."""


class Source(Protocol):
    """A gateway, as the page sees it; all of it in the gateway's loop."""

    def ready(self) -> bool:
        """True while every network has its carrier."""

    def gateway(self) -> dict[str, Any]:
        """What is known of the gateway itself."""

    def networks(self) -> dict[str, dict[str, Any]]:
        """Counters and states of all networks, by their names."""

    def devices(self) -> list[dict[str, Any]]:
        """Counters and states of all devices."""

    def ports(self) -> list[dict[str, Any]]:
        """The serial ports, with their states."""

    def pulse(self) -> Iterable[tuple[str, int]]:
        """Of all devices: the name, and how many events were taken."""

    def device(self, name: str) -> dict[str, Any]:
        """Rights, limits, hooks and key of a device; `UnknownDeviceError` where there is none."""

    async def request(self, name: str, event: str, data: Any, seconds: float) -> Any:
        """What a hook of a device returns; `UnknownDeviceError` or `RequestError` say why there is no answer."""
