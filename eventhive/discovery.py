"""Servers that are found by the name of their network: DNS-SD over multicast DNS (RFC 6763, RFC 6762).

Rules of this file:
1. An announcement is what anybody in the local network says. It is checked, never trusted: whoever connects decides
   what else the server has to prove.
2. A look-up has no memory: what a server that is gone once said is in no cache that could answer.
3. One instance name, that of the network. Two servers that announce it are told apart by `id`, and `rank` orders them.

The TXT record has the keys of EventHive 0.5.0 (host, port, endpoint, scheme), which connects to what stands there, and
two that it ignores: `id`, and `since` where the server gives way to an older one.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .core.errors import LocalError
from .reach import Reach

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

TYPE = "_eventhive._tcp.local."

# An answer is put off by up to 120 ms, so that several become one, and by a second where the same was just said (RFC
# 6762, 6): who has heard one waits a little for another, and a look-up of two seconds hears everybody.
GRACE_SECONDS = 0.3
LOOKUP_SECONDS = 2.0
# How often a server looks for another one of its network: two parts of a network that were apart are one again then.
WATCH_SECONDS = 20.0


MAX_NAME_BYTES = 63
MAX_HOST_CHARS = 253
MAX_ID_CHARS = 64


@dataclass(frozen=True)
class Announcement:
    """What a server says of itself.

    `since`: when it began, in milliseconds since 1970 by its own clock; 0 for one that never gives way, as those of
    0.5.0. `id`: different for each server; empty for one of 0.5.0.
    """

    network: str
    host: str
    port: int
    endpoint: str = "/pubsub"
    scheme: str = "ws"
    since: int = 0
    id: str = ""

    @property
    def rank(self) -> tuple[int, str, str, int]:
        """Of two servers of one network, the one with the lower rank is to stay."""
        return self.since, self.id, self.host, self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.endpoint}"

    def properties(self) -> dict[str, str]:
        """The keys and values of its TXT record."""
        own = {"since": str(self.since)} if self.since else {}
        return {
            "host": self.host,
            "port": str(self.port),
            "endpoint": self.endpoint,
            "scheme": self.scheme,
            "id": self.id,
            **own,
        }


def parse(network: str, properties: Mapping[bytes, bytes | None]) -> Announcement | None:
    """What the properties of a TXT record announce, None where that is nothing to connect to; never raises."""
    texts = {}
    for key, value in properties.items():
        with contextlib.suppress(UnicodeDecodeError):
            texts[key.decode()] = (value or b"").decode()
    host, scheme = texts.get("host", ""), texts.get("scheme", "ws")
    endpoint = "/" + texts.get("endpoint", "/pubsub").lstrip("/")
    port, since, own_id = _integer(texts.get("port", "")), _integer(texts.get("since", "")), texts.get("id", "")
    if not _is_host(host) or not 0 < port < 65536 or scheme not in ("ws", "wss") or len(own_id) > MAX_ID_CHARS:
        return None
    if not all("!" <= character <= "~" for character in endpoint + own_id):
        return None
    return Announcement(network, host, port, endpoint, scheme, since, own_id)


def _integer(text: str) -> int:
    # isdigit alone also takes digits that int does not.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _is_host(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return not ipaddress.ip_address(host).is_unspecified
    return 0 < len(host) <= MAX_HOST_CHARS and all(
        character.isascii() and (character.isalnum() or character in "-._") for character in host
    )


async def search(network: str, seconds: float, interfaces: Sequence[str]) -> list[Announcement]:
    """All servers of a network that answer, the one to stay first; returns soon after the first answer.

    Raises `LocalError` where multicast DNS is not possible.
    """
    from zeroconf import DNSQuestionType
    from zeroconf.asyncio import AsyncServiceInfo

    found: dict[str, Announcement] = {}
    heard = asyncio.Event()

    def take(announcement: Announcement) -> None:
        found[str(announcement.rank)] = announcement
        heard.set()

    zeroconf = _open(interfaces)
    _listen(zeroconf, network, take)
    # Asked in the open from the beginning: the answer to one alone would reach one of several processes here.
    question = AsyncServiceInfo(TYPE, _name(network)).async_request(
        zeroconf.zeroconf, seconds * 1000, DNSQuestionType.QM
    )
    asking = asyncio.ensure_future(question)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), seconds)
            await asyncio.sleep(GRACE_SECONDS)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await zeroconf.async_close()
    return sorted(found.values(), key=lambda one: one.rank)


class Announcer:
    """Announces a server until `stop`, and calls `heard(announcement)` for each other one of its network.

    What it heard may be heard again, and may come from anybody.
    """

    def __init__(self, announcement: Announcement, where: Reach, heard: Callable[[Announcement], None]):
        self.announcement = announcement
        self._where = where
        self._heard = heard
        self._zeroconf: AsyncZeroconf | None = None
        self._tasks: list[asyncio.Future[Any]] = []

    async def start(self) -> None:
        """Announce; `LocalError` says why that is not possible."""
        from zeroconf import Error
        from zeroconf.asyncio import AsyncServiceInfo

        own = self.announcement
        info = AsyncServiceInfo(
            TYPE,
            _name(own.network),
            port=own.port,
            properties=own.properties(),
            parsed_addresses=list(self._where.addresses),
            # A name of its own, so that the machine's name stays that of its own responder.
            server=f"eventhive-{own.id}.local.",
        )
        self._zeroconf = _open(self._where.interfaces)
        _listen(self._zeroconf, own.network, self._take)
        told = None
        try:
            # Cooperating: that another server has the name is not settled by who announced it first.
            told = await self._zeroconf.async_register_service(info, cooperating_responders=True)
        except Error as error:
            raise LocalError(f"{own.network} cannot be announced: {error}") from None
        finally:
            if not told:
                await self.stop()
        self._tasks = [asyncio.ensure_future(told), asyncio.ensure_future(self._watch())]

    async def stop(self) -> None:
        """Take the announcement back."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            # Closing says goodbye for what is registered.
            await zeroconf.async_close()

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(LocalError):
                for other in await search(self.announcement.network, LOOKUP_SECONDS, self._where.interfaces):
                    self._take(other)
            await asyncio.sleep(WATCH_SECONDS)

    def _take(self, announcement: Announcement) -> None:
        if announcement.id != self.announcement.id:
            self._heard(announcement)


def _name(network: str) -> str:
    if len(network.encode()) > MAX_NAME_BYTES:
        raise LocalError(f"network '{network}': a name of more than {MAX_NAME_BYTES} bytes cannot be looked up")
    return f"{network}.{TYPE}"


def _open(interfaces: Sequence[str]) -> "AsyncZeroconf":
    from zeroconf import InterfaceChoice
    from zeroconf.asyncio import AsyncZeroconf

    try:
        return AsyncZeroconf(interfaces=list(interfaces) or InterfaceChoice.All)
    except (OSError, RuntimeError) as error:
        raise LocalError(f"no multicast DNS on {', '.join(interfaces) or 'any interface'}: {error}") from None


def _listen(zeroconf: "AsyncZeroconf", network: str, take: Callable[[Announcement], None]) -> None:
    from zeroconf import RecordUpdate, RecordUpdateListener, ServiceInfo, Zeroconf

    name = _name(network)

    class Listener(RecordUpdateListener):
        def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
            for record in [update.new for update in records]:
                # Only TXT records have one. One that lives no longer is taken back.
                text = getattr(record, "text", None)
                if text is not None and record.ttl and record.name.lower() == name.lower():
                    announcement = parse(network, ServiceInfo(TYPE, name, properties=text).properties)
                    if announcement is not None:
                        take(announcement)

    zeroconf.zeroconf.async_add_listener(Listener(), None)
