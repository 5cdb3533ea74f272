"""An SQLite file of a gateway: opened by it alone, closed to others, put aside where it is damaged.

Rules of this file: synchronous, for one thread at a time. Whatever is wrong with the file is a `LocalError` that names
it.
"""

import os
import sqlite3
import time
from pathlib import Path

from ..core.errors import LocalError

# Some 4 MB, written again in a few milliseconds.
CHECKPOINT_PAGES = 1000


class Database:
    """The file at `path`; `synchronous` is "full", which survives a loss of power, or "normal".

    `what` it is called, `key` the key of the configuration that names it, and `loss`, what nobody knows without it, are
    for people. Who inherits has `prepare`.
    """

    what = "database"
    key = ""
    loss = ""
    # Pages of the write-ahead log until they are put into the database; 0: who inherits does it.
    autocheckpoint = CHECKPOINT_PAGES

    def __init__(self, path: Path, synchronous: str):
        self.path = path
        self._synchronous = synchronous
        self._db: sqlite3.Connection = None  # type: ignore[assignment]

    def prepare(self, db: sqlite3.Connection) -> None:
        """Make what is not there yet."""

    def open(self) -> str:
        """Open the file, or make it. Returns what the log should say of a damaged one, which is put aside.

        `LocalError` says what is wrong.
        """
        self._check_mode()
        try:
            self._open()
        except OSError as error:
            raise self.error(error.strerror) from None
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._fault(error) from None
            said = self._put_aside(error)
            try:
                self._open()
            except sqlite3.Error as again:
                raise self._fault(again) from None
            return said
        return ""

    def close(self) -> None:
        """Close the file, with all that was written in its one place."""
        if self._db is not None:
            self._db.close()

    def error(self, problem: object) -> LocalError:
        """The error that a problem with the file is."""
        return LocalError(f"{self.what} {self.path}: {problem}")

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
        db.execute(f"PRAGMA wal_autocheckpoint = {self.autocheckpoint}")
        self.prepare(db)
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
            raise self.error(error.strerror) from None
        if mode & 0o077:
            raise self.error(f"others may read it (mode {mode:o}): chmod 600 {self.path}")

    def _fault(self, error: sqlite3.Error) -> LocalError:
        text = str(error)
        if "locked" in text:
            text = f"another gateway has it open: stop that one, or set {self.key} to another path"
        elif "unable to open" in text:
            text = f"cannot be opened: may this user write to {self.path.parent}?"
        return self.error(text)

    def _put_aside(self, error: sqlite3.Error) -> str:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            self.path.replace(aside)
            for suffix in ("-wal", "-shm"):
                side = Path(f"{self.path}{suffix}")
                if side.exists():
                    side.replace(f"{aside}{suffix}")
        except OSError as why:
            raise self.error(f"damaged ({error}), and not to be moved: {why.strerror}") from None
        return f"{self.what} {self.path} is damaged ({error}): it is kept as {aside}, and a new one begun; {self.loss}"
