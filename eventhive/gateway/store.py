"""The spool's file: an SQLite database of events that no hive has confirmed, and of the marks of devices.

Rules of this file:
1. Synchronous, for one thread. One transaction has the events of a batch, the marks that cover them, and what is gone.
2. A batch is one statement, its own transaction, whose rows SQLite makes of JSON: nobody else looks at them.
3. A row of the journal is a batch that is not in the other tables yet: it takes an eighth of the time. The next batch
   that is written has all of them in it, so that they go with it.
4. Whatever is wrong with the file is a `LocalError` that names it.

    streams  id, network, device, stream     one row for each stream of a device on a network
    events   id, stream, number, topic, data the identity of an event is (device, stream, number)
    marks    id, device, stream, number      up to which number everything of a stream is here, or was confirmed
    journal  id, batch                       see `journal.py`
"""

import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from .batch import ROW_BYTES, Batch, size_of
from .database import Database

# Bytes in the write-ahead log, roughly, until they are put into the database, which takes a few milliseconds.
CHECKPOINT_BYTES = 4_000_000
# What a commit adds to it beside its rows: the pages in which they are. A row of the journal has one, and half of the
# next; pages are written as a whole.
COMMIT_BYTES = 32_768
NOTE_BYTES = 8_192

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
CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY, batch TEXT NOT NULL);
"""

# Which of the parts of a batch are ids of events that are gone.
_GONE_AT = 5

# A batch is inserted into a view, and these are the rows that come of it.
_BATCH = """
CREATE TEMP VIEW batch AS
    SELECT 0 AS streams, 0 AS events, 0 AS begun, 0 AS marks, 0 AS stale, 0 AS gone, 0 AS trimmed;
CREATE TEMP TRIGGER write INSTEAD OF INSERT ON batch BEGIN
    INSERT INTO streams
        SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(NEW.streams)
        WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO events
        SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(NEW.events)
        WHERE true ON CONFLICT DO NOTHING;
    DELETE FROM marks WHERE id IN (
        SELECT m.id FROM json_each(NEW.stale) s
        JOIN marks m ON m.device = s.value->>0 AND m.stream = IFNULL(s.value->>1, m.stream));
    INSERT INTO marks (id, device, stream, number)
        SELECT value->>0, value->>1, value->>2, 0 FROM json_each(NEW.begun)
        WHERE true ON CONFLICT DO NOTHING;
    UPDATE marks SET number = MAX(number, m.value) FROM json_each(NEW.marks) m WHERE marks.id = CAST(m.key AS INTEGER);
    DELETE FROM events WHERE id IN (SELECT value FROM json_each(NEW.gone));
    DELETE FROM events WHERE id IN (SELECT value FROM json_each(NEW.trimmed));
    DELETE FROM journal;
END;
"""
_HELD = """
SELECT s.id, network, device, s.stream, COUNT(*), SUM(bytes), MAX(number) FROM (
    SELECT stream, LENGTH(data) + LENGTH(topic) + ? AS bytes, number FROM events
        WHERE id NOT IN (SELECT value FROM json_each(?))
    UNION ALL
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)
) e JOIN streams s ON s.id = e.stream GROUP BY s.id ORDER BY s.id
"""
# What `->>` stands for here; as an operator, it is there from SQLite 3.38 (2022) on.
_ITEM = re.compile(r"(\w[\w.]*)->>(\d)")


class Store(Database):
    """The spool's file; for its arguments see `Database`."""

    what = "spool"
    key = "gateway.spool.file"
    loss = "what only it held is not delivered"
    # `checkpoint` does it, where nobody waits.
    autocheckpoint = 0

    def __init__(self, path: Path, synchronous: str):
        super().__init__(path, synchronous)
        self._logged = 0

    def prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables, and the view that batches go into."""
        # What one that was killed has left in the log counts: else it would grow with each kill.
        with contextlib.suppress(OSError):
            self._logged = Path(f"{self.path}-wal").stat().st_size
        db.executescript(_SCHEMA)
        db.executescript(_ITEM.sub(r"json_extract(\1, '$[\2]')", _BATCH))

    def marks(self) -> list[tuple[int, str, str, int]]:
        """(id, device, stream, number) of all marks; those of a device in the order in which they were begun."""
        return self._db.execute("SELECT id, device, stream, number FROM marks ORDER BY id").fetchall()

    def held(self, noted: Batch) -> list[tuple[int, str, str, str, int, int, int]]:
        """What the file holds of each stream: (id, network, device, stream, events, bytes, highest number).

        In the order in which they began. `noted` is what is in the journal alone. Streams without events are removed,
        where the disk takes it.
        """
        gone, sizes = json.dumps(noted.gone), json.dumps([(row[1], size_of(row), row[2]) for row in noted.events])
        found = self._db.execute(_HELD, (ROW_BYTES, gone, sizes)).fetchall()
        with contextlib.suppress(sqlite3.OperationalError):
            ids = json.dumps([row[0] for row in found])
            self._db.execute("DELETE FROM streams WHERE id NOT IN (SELECT value FROM json_each(?))", (ids,))
        return found

    def last_ids(self) -> tuple[int, int, int]:
        """The highest ids in use, of a stream, of an event and of a mark."""
        highest = "SELECT IFNULL(MAX(id), 0) FROM"
        row: tuple[int, int, int] = self._db.execute(
            f"SELECT ({highest} streams), ({highest} events), ({highest} marks)"
        ).fetchone()
        return row

    def write(self, parts: list[str], trims: list[tuple[str, int]]) -> list[list[tuple[int, int, int]]]:
        """Make all changes of a batch, or none; `parts`: JSON of its members in their order, but for its trims.

        What the journal holds has to be in it: that is forgotten.

        `trims` are (network, how many of its oldest events go): returns (id, stream id, bytes) of those of each.
        `LocalError` when the disk does not take it.
        """
        try:
            trimmed = [self._oldest(*trim, parts[_GONE_AT]) for trim in trims]
            gone = [row[0] for rows in trimmed for row in rows]
            self._db.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", [*parts, json.dumps(gone)])
        except sqlite3.Error as error:
            raise self.error(error) from None
        self._logged += COMMIT_BYTES + 2 * sum(map(len, parts))
        return trimmed

    def note(self, text: str) -> None:
        """Add a row to the journal; `LocalError` when the disk does not take it."""
        try:
            self._db.execute("INSERT INTO journal (batch) VALUES (?)", (text,))
        except sqlite3.Error as error:
            raise self.error(error) from None
        self._logged += NOTE_BYTES + 2 * len(text)

    def noted(self) -> list[str]:
        """The rows of the journal, in their order."""
        return [row[0] for row in self._db.execute("SELECT batch FROM journal ORDER BY id")]

    @property
    def checkpoint_due(self) -> bool:
        """True where the log is so long that it should be put into the database."""
        return self._logged > CHECKPOINT_BYTES

    def checkpoint(self) -> None:
        """Put the log into the database; where the disk does not take it now, the log goes on."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        # Only now, so that nobody else writes meanwhile: a write would have to wait for all of it.
        self._logged = 0

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

    def _oldest(self, network: str, count: int, gone: str) -> list[tuple[int, int, int]]:
        """(id, stream id, bytes) of the oldest events of a network, but for those that are gone."""
        return self._db.execute(
            "SELECT e.id, e.stream, LENGTH(data) + LENGTH(topic) + ? FROM events e "
            "JOIN streams s ON s.id = e.stream "
            "WHERE network = ? AND e.id NOT IN (SELECT value FROM json_each(?)) ORDER BY e.id LIMIT ?",
            (ROW_BYTES, network, gone, count),
        ).fetchall()
