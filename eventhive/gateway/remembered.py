"""What is remembered of each device beyond a restart of the gateway: when it was seen, when it wakes, its last crash.

Rules of this file:
1. One row for each device that is enrolled, bounded in length: no device can fill the disk.
2. A change is on disk some seconds later; whoever loses power in between has the state before. Nothing waits for it.

    devices  name, facts     `facts` is a JSON object: "seen" and "wakes" in seconds since 1970, "crash"
"""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..bounded_log import PerMinute
from ..core.errors import LocalError
from .database import Database

# Changes are written together: a fleet that comes back after an outage is one transaction.
WRITE_S = 2.0

# Characters of one row; a crash has up to two thousand.
MAX_FACTS = 8192

_SCHEMA = "CREATE TABLE IF NOT EXISTS devices (name TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID"

logger = logging.getLogger("eventhive.gateway")


class Remembered(Database):
    """The file; a loss of power may cost it the last seconds."""

    what = "state"
    key = "gateway.state"
    loss = "when devices were seen, and their last crashes, are forgotten"

    def __init__(self, path: Path):
        super().__init__(path, "normal")

    def prepare(self, db: sqlite3.Connection) -> None:
        """Make the table."""
        db.execute(_SCHEMA)

    def all(self) -> dict[str, dict[str, Any]]:
        """What is known of each device; what cannot be read is left out."""
        found = {}
        for name, text in self._db.execute("SELECT name, facts FROM devices"):
            facts = _facts(text)
            if facts is not None:
                found[name] = facts
        return found

    def write(self, changed: dict[str, str], gone: Iterable[str]) -> None:
        """Make all these changes, or none; `LocalError` when the disk does not take them."""
        try:
            with self._db:
                self._db.execute("BEGIN")
                self._db.executemany("INSERT OR REPLACE INTO devices VALUES (?, ?)", changed.items())
                self._db.executemany("DELETE FROM devices WHERE name = ?", [(name,) for name in gone])
        except sqlite3.Error as error:
            raise self.error(error) from None


class Memory:
    """Facts of devices, by name; `change` and `keep` take effect at once, and on disk when `run` comes to it.

    Without a `path`, nothing is kept on disk. In one loop.
    """

    def __init__(self, path: Path | None):
        self.facts: dict[str, dict[str, Any]] = {}
        self._file = Remembered(path) if path is not None else None
        self._dirty: set[str] = set()
        self._room = PerMinute(time.monotonic)

    def open(self) -> None:
        """Read what is on disk; `LocalError` says why that is not possible."""
        if self._file is not None:
            said = self._file.open()
            if said:
                logger.error("%s", said)
            self.facts = self._file.all()

    def of(self, name: str) -> dict[str, Any]:
        """What is known of a device."""
        return self.facts.get(name, {})

    def change(self, name: str, **facts: Any) -> None:
        """Some facts of a device are others now."""
        known = self.facts.setdefault(name, {})
        if any(known.get(key) != value for key, value in facts.items()):
            known.update(facts)
            self._dirty.add(name)

    def keep(self, names: Iterable[str]) -> None:
        """Forget all devices but these."""
        for name in set(self.facts) - set(names):
            del self.facts[name]
            self._dirty.add(name)

    async def run(self) -> None:
        """Write what changes, for ever."""
        while True:
            await asyncio.sleep(WRITE_S)
            await self._write()

    async def stop(self) -> None:
        """Write what is left, and close the file; after `run` has ended."""
        if self._file is not None:
            await self._write()
            self._file.close()

    async def _write(self) -> None:
        if self._file is None or not self._dirty:
            return
        dirty, self._dirty = self._dirty, set()
        texts = {name: _text(self.facts[name]) for name in dirty if name in self.facts}
        try:
            await asyncio.to_thread(self._file.write, texts, dirty - set(texts))
        except LocalError as error:
            self._dirty |= dirty
            if self._room():
                logger.error("%s: what is known of devices is not kept until it takes it", error)


def _text(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, separators=(",", ":"))
    # The longest of them is the crash.
    return text if len(text) <= MAX_FACTS else json.dumps({**facts, "crash": None})


def _facts(text: str) -> dict[str, Any] | None:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None
