"""What an outlet stands between: the network of a hive, and the disk.

The two meet here in protocols, so that an outlet can be tested without either.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from .lane import Entry, Lane

if TYPE_CHECKING:
    from .outlet import Outlet


class Network(Protocol):
    """What an outlet needs of the network of a hive."""

    name: str

    @property
    def connected(self) -> bool:
        """True while its carrier is there."""

    @property
    def connections(self) -> int:
        """How often its carrier has come up."""

    @property
    def ready(self) -> bool:
        """True when it would be good to publish now."""

    def publish(self, topic: str, data: Any, origin: object = None, confirm: Callable[[], None] | None = None) -> bool:
        """Pass an event on, see `bridge.Network`."""

    def publish_once(self, events: Iterable[Any], carried: Callable[[], None] | None = None) -> int:
        """Pass events on with their identities: (name, data, device, stream, number, before, origin).

        Returns how many were, see `network.Network`; `carried` is called for each when the carrier has it.
        """

    def expect(self, confirmed: Callable[[Iterable[tuple[str, str, str, int, int]]], None]) -> None:
        """Have what hooks confirm told."""

    def settle(self, ended: Callable[[], None]) -> bool:
        """Have `ended` called when hooks of this process have run for what was published; false where none have to."""

    def hurry(self) -> None:
        """Have these begin now with what they were given, and what they have confirmed told."""


class Disk(Protocol):
    """What an outlet needs of the spool."""

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""

    def soon(self, callback: Callable[[], None]) -> None:
        """Have something called in the next iteration of the loop."""

    def origin(self, device: str) -> object:
        """The device of this name, to which its own events do not come back; None where there is none any more."""

    def keep(self, entry: Entry) -> None:
        """Write an event with the next batch, and acknowledge it then."""

    def erase(self, entry: Entry) -> None:
        """An event is confirmed."""

    def read(self, outlet: "Outlet", lane: Lane) -> None:
        """Have `lane.found` called with what is on disk."""

    def trim(self, outlet: "Outlet") -> None:
        """Remove the oldest events of a network from the disk."""
