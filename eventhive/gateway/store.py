"""The spool's file: an SQLite database of events that no hive has confirmed, and of the marks of devices.

Rules of this file:
1. Synchronous, for one thread. One transaction has the events of a batch, the marks that cover them, and what is gone.
2. A statement takes many rows: the interpreter's lock is given up once for each statement, and getting it back from a
   busy loop takes up to 5 ms.
3. Whatever is wrong with the file is a `LocalError` that names it, or `Full`.

    streams  id, network, device, stream     one row for each stream of a device on a network
    events   id, stream, number, topic, data the identity of an event is (device, stream, number)
    marks    id, device, stream, number      up to which number everything of a stream is here, or was confirmed
"""

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import LocalError

# Rows of one statement: as few different ones as keep the rest small, each within SQLite's 32766 parameters.
CHUNKS = (512, 64, 8, 1)

# Pages of the write-ahead log until they are put into the database: some 4 MB, written again in a few milliseconds.
CHECKPOINT_PAGES = 1000

# What an event takes in the file beside its name and its data: its keys, and its place in the index.
ROW_BYTES = 48

_SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY, network TEXT NOT NULL, device TEXT NOT NULL, stream TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, number INTEGER NOT NULL, topic TEXT NOT NULL, data TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS identity ON events (stream, number);
CREATE TABLE IF NOT EXISTS marks (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, stream TEXT NOT NULL, number INTEGER NOT NULL, UNIQUE (device, stream)
);
"""

logger = logging.getLogger("eventhive.gateway")


class Full(LocalError):
    """There is no room for a batch, or the disk does not take it; nothing of it is in the file."""


@dataclass
class Batch:
    """What one transaction changes.

    streams (id, network, device, stream); events (id, stream id, number, topic, data); marks {(device, stream):
    number}; known {device: its streams}: marks of other ones are dropped; gone: ids of events; trims: (network, how
    many of its oldest events go), which fills `trimmed` with (id, stream id, bytes) of each.
    """

    streams: list[tuple[int, str, str, str]] = field(default_factory=list)
    events: list[tuple[int, int, int, str, str]] = field(default_factory=list)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    trims: list[tuple[str, int]] = field(default_factory=list)
    trimmed: list[list[tuple[int, int, int]]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.events or self.marks or self.gone or self.known or self.trims)


@dataclass(frozen=True)
class Held:
    """What the file holds of one stream on one network: `events`, and the `bytes` they take."""

    id: int
    network: str
    device: str
    stream: str
    events: int
    bytes: int


class Store:
    """The file at `path`; `synchronous` is "full", which survives a loss of power, or "normal"."""

    def __init__(self, path: Path, synchronous: str):
        self.path = path
        self._synchronous = synchronous
        self._db: sqlite3.Connection = None  # type: ignore[assignment]

    def open(self) -> None:
        """Open the file, or make it; a damaged one is put aside, as the log says. `LocalError` says what is wrong."""
        self._check_mode()
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._fault(error) from None
            self._put_aside(error)
            try:
                self._open()
            except sqlite3.Error as again:
                raise self._fault(again) from None

    def close(self) -> None:
        """Close the file, with all that was written in its one place."""
        if self._db is not None:
            self._db.close()

    def marks(self) -> list[tuple[str, str, int]]:
        """(device, stream, number) of all marks; those of a device in the order in which they were begun."""
        return self._db.execute("SELECT device, stream, number FROM marks ORDER BY id").fetchall()

    def held(self) -> list[Held]:
        """What the file holds, stream by stream, in the order in which they began; empty ones are removed."""
        self._db.execute("DELETE FROM streams WHERE id NOT IN (SELECT DISTINCT stream FROM events)")
        size = f"SUM(LENGTH(data) + LENGTH(topic) + {ROW_BYTES})"
        rows = self._db.execute(
            f"SELECT s.id, network, device, s.stream, COUNT(*), {size} "  # noqa: S608 - constants alone
            "FROM events e JOIN streams s ON s.id = e.stream GROUP BY s.id ORDER BY s.id"
        )
        return [Held(*row) for row in rows]

    def last_ids(self) -> tuple[int, int]:
        """The highest ids in use, of a stream and of an event."""
        row: tuple[int, int] = self._db.execute(
            "SELECT (SELECT IFNULL(MAX(id), 0) FROM streams), (SELECT IFNULL(MAX(id), 0) FROM events)"
        ).fetchone()
        return row

    def write(self, batch: Batch) -> None:
        """Make all changes of a batch, or none; `Full` when the disk does not take them."""
        if not batch:
            return
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            self._many("INSERT INTO streams VALUES ", "(?,?,?,?)", "", batch.streams)
            self._many("INSERT OR IGNORE INTO events VALUES ", "(?,?,?,?,?)", "", batch.events)
            marks = [(device, stream, number) for (device, stream), number in batch.marks.items()]
            upsert = " ON CONFLICT DO UPDATE SET number = excluded.number"
            self._many("INSERT INTO marks (device, stream, number) VALUES ", "(?,?,?)", upsert, marks)
            for device, streams in batch.known.items():
                kept = ",".join("?" * len(streams))
                db.execute(f"DELETE FROM marks WHERE device = ? AND stream NOT IN ({kept})", (device, *streams))  # noqa: S608
            gone = [(one,) for one in batch.gone]
            batch.trimmed = [self._oldest(network, count) for network, count in batch.trims]
            gone += [row[:1] for rows in batch.trimmed for row in rows]
            self._many("DELETE FROM events WHERE id IN (", "?", ")", gone)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise Full(f"spool {self.path}: {error}") from None

    def read(self, stream: int, after: int, limit: int) -> list[list[Any]]:
        """Up to `limit` events of a stream with numbers above `after`, in order: [id, number, topic, data]."""
        # One row of JSON, because each row gives up the interpreter's lock.
        row = self._db.execute(
            "SELECT json_group_array(json_array(id, number, topic, data)) FROM "
            "(SELECT * FROM events WHERE stream = ? AND number > ? ORDER BY number LIMIT ?)",
            (stream, after, limit),
        ).fetchone()
        found: list[list[Any]] = json.loads(row[0])
        return found

    # The rest is private.

    def _open(self) -> None:
        unclean = os.path.exists(f"{self.path}-wal")
        # Made here, so that it is never there with other rights than 600.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            self._prepare(unclean)
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self, unclean: bool) -> None:
        db = self._db
        # One writer: nobody else opens it while this is running, and no shared memory file is needed.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {self._synchronous}")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.executescript(_SCHEMA)
        if unclean:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)

    def _check_mode(self) -> None:
        try:
            mode = self.path.stat().st_mode & 0o777
        except FileNotFoundError:
            return
        except OSError as error:
            raise LocalError(f"spool {self.path}: {error.strerror}") from None
        if mode & 0o077:
            raise LocalError(f"spool {self.path}: others may read it (mode {mode:o}): chmod 600 {self.path}")

    def _fault(self, error: sqlite3.Error) -> LocalError:
        text = str(error)
        if "locked" in text:
            text = "another gateway has it open: stop that one, or set gateway.spool.file to another path"
        elif "unable to open" in text:
            text = f"cannot be opened: may this user write to {self.path.parent}?"
        return LocalError(f"spool {self.path}: {text}")

    def _put_aside(self, error: sqlite3.Error) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            self.path.replace(aside)
            for suffix in ("-wal", "-shm"):
                side = Path(f"{self.path}{suffix}")
                if side.exists():
                    side.replace(f"{aside}{suffix}")
        except OSError as why:
            raise LocalError(f"spool {self.path}: damaged ({error}), and not to be moved: {why.strerror}") from None
        logger.error(
            "spool %s is damaged (%s): it is kept as %s, and a new one begun; what only it held is not delivered",
            self.path,
            error,
            aside,
        )

    def _oldest(self, network: str, count: int) -> list[tuple[int, int, int]]:
        """(id, stream id, bytes) of the oldest events of a network."""
        return self._db.execute(
            "SELECT e.id, e.stream, LENGTH(data) + LENGTH(topic) + ? FROM events e "
            "JOIN streams s ON s.id = e.stream WHERE network = ? ORDER BY e.id LIMIT ?",
            (ROW_BYTES, network, count),
        ).fetchall()

    def _many(self, head: str, row: str, tail: str, rows: Sequence[Iterable[Any]]) -> None:
        start, left = 0, len(rows)
        execute: Callable[..., Any] = self._db.execute
        for size in CHUNKS:
            statement = head + ",".join([row] * size) + tail if left >= size else ""
            while left >= size:
                execute(statement, [value for one in rows[start : start + size] for value in one])
                start += size
                left -= size

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
