"""The serial ports of a gateway: a link for each port that its configuration means, as ports come and go.

Rules of this file:
1. Ports are looked for where an entry does not name one path: by a glob, or by what is plugged in. One path is kept
   open by its link alone, whether or not it is there.
2. What is unchanged is not touched: neither by a look around nor by a reload.
"""

import asyncio
import logging
import os
from collections.abc import Sequence
from typing import Any

from .bridge import Bridge
from .port_file import ABSENT, BUSY, LENT, NO_MATCH, OPEN, VANISHED, meant_by
from .port_match import Entry, Match, assign
from .serial_link import SerialLink

# How often ports are looked for. A board that is plugged in takes about as long to boot, and a look costs some
# milliseconds, in a thread.
SCAN_S = 1.0

# How long a port that has vanished is shown, where it is not named by its path: it comes back under another one, maybe.
GONE_S = 600

logger = logging.getLogger("eventhive.gateway")

_DOUBLE = "it is the port of the entry %s"

Meant = Sequence[tuple[Entry, Sequence[str]]]


class SerialPorts:
    """All serial links; `configure` tells the entries of the configuration, and again whenever they change."""

    def __init__(self, bridge: Bridge):
        self.links: list[SerialLink] = []
        self._bridge = bridge
        self._entries: Sequence[Entry] = ()
        self._doubles: list[Match] = []
        self._tasks: dict[SerialLink, asyncio.Task[None]] = {}
        self._scanning: asyncio.Task[None] | None = None
        self._absent: set[str] = set()

    def configure(self, entries: Sequence[Entry]) -> None:
        """Have links for these entries, and for no others."""
        self._entries = tuple(entries)
        self._take(_meant(self._entries))
        searching = any(not entry.exact for entry in entries)
        if searching and self._scanning is None:
            self._scanning = asyncio.get_running_loop().create_task(self._scan())
        elif not searching and self._scanning is not None:
            self._scanning.cancel()
            self._scanning = None

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass for all links."""
        for link in self.links:
            link.tick(elapsed_ms)

    def stop(self) -> None:
        """Say goodbye to all devices, and close all ports; `end` waits until that is done."""
        for link in self.links:
            link.stop()

    async def end(self) -> None:
        """Wait for what was stopped."""
        tasks = [*self._tasks.values(), *([self._scanning] if self._scanning else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def find(self, name: object) -> SerialLink | None:
        """The link of a port, by its path, or by its entry where that has one port only."""
        for link in self.links:
            if link.port == name:
                return link
        found = [link for link in self.links if link.entry.name == name]
        return found[0] if len(found) == 1 else None

    def status(self) -> list[dict[str, Any]]:
        """All ports with their states; entries without one, too."""
        rows = []
        for entry in self._entries:
            links = [link for link in self.links if link.entry == entry]
            rows += [_row(entry, one.port, one.state, one.why, one.device, one.since, one.returned) for one in links]
            known = [link.port for link in links]
            twice = [one for one in self._doubles if one.entry == entry and one.path not in known]
            rows += [_row(entry, one.path, BUSY, _DOUBLE % one.taken.name) for one in twice]
            if entry.name in self._absent and not links:
                rows.append(_row(entry, entry.name, ABSENT, NO_MATCH))
        return rows

    # The rest is private.

    async def _scan(self) -> None:
        while True:
            await asyncio.sleep(SCAN_S)
            entries = self._entries
            meant = await asyncio.to_thread(_meant, entries)
            if entries is self._entries:
                self._take(meant)

    def _take(self, meant: Meant) -> None:
        matches = assign(meant, os.path.realpath)
        wanted = [(one.entry, one.path) for one in matches if one.taken is None]
        self._tell_doubles([one for one in matches if one.taken is not None])
        real = {os.path.realpath(path) for _, path in wanted}
        back = [entry for entry, _ in wanted]
        for link in list(self.links):
            if (link.entry, link.port) not in wanted and not self._stays(link, real, back):
                link.stop()
                self.links.remove(link)
        known = [(link.entry, link.port) for link in self.links]
        for entry, path in wanted:
            if (entry, path) not in known:
                self._begin(SerialLink(self._bridge, entry, path))
        self._tell_absent(meant)

    def _stays(self, link: SerialLink, real: set[str], back: list[Entry]) -> bool:
        """True for a link whose port is not among those that are meant, and which is kept all the same."""
        if link.entry not in self._entries or os.path.realpath(link.port) in real:
            return False
        if link.state == VANISHED:
            other = link.entry.serial_number and link.entry in back
            return not other and self._bridge.seconds() - link.since < GONE_S
        # A look around that found nothing is no reason to close what works.
        return link.state in (OPEN, LENT)

    def _begin(self, link: SerialLink) -> None:
        self.links.append(link)
        task = self._tasks[link] = asyncio.get_running_loop().create_task(link.run())
        task.add_done_callback(lambda _: self._tasks.pop(link, None))

    def _tell_doubles(self, doubles: list[Match]) -> None:
        for one in doubles:
            if one not in self._doubles:
                logger.warning("serial port %s: not opened: %s", one.path, _DOUBLE % one.taken.name)
        self._doubles = doubles

    def _tell_absent(self, meant: Meant) -> None:
        absent = {entry.name for entry, paths in meant if not paths}
        for name in sorted(absent - self._absent):
            logger.info("serial port %s: waiting for it: %s", name, NO_MATCH)
        self._absent = absent


def _meant(entries: Sequence[Entry]) -> Meant:
    return [(entry, meant_by(entry)) for entry in entries]


def _row(
    entry: Entry, port: str, state: str, why: str, device: str = "", since: float | None = None, returned: int = 0
) -> dict[str, Any]:
    row = {"entry": entry.name, "port": port, "state": state, "why": why}
    return {**row, "device": device or None, "since": since, "returned": returned}
