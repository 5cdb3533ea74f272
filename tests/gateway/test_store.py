"""The spool's file: what a batch changes, what survives, and what is said of a file that cannot be used."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from eventhive.core.errors import LocalError
from eventhive.gateway.batch import ROW_BYTES, Batch
from eventhive.gateway.store import CHECKPOINT_BYTES, COMMIT_BYTES, NOTE_BYTES, Store

STREAM = "a1a2a3a400000001"


def opened(path: Path) -> Store:
    store = Store(path, "full")
    assert store.open() == ""
    return store


def write(store: Store, events: int, first: int = 1, gone: tuple[int, ...] = ()) -> None:
    numbers = range(first, first + events)
    rows = [(number, 1, number, "my-hive/queen/t", json.dumps({"n": number})) for number in numbers]
    begun, marks = [(1, "sensor-1", STREAM)], {1: first + events - 1}
    parts = [[(1, "my-hive", "sensor-1", STREAM)], rows, begun, marks, [], list(gone)]
    store.write([json.dumps(part) for part in parts], [])


def numbers(store: Store) -> list[int]:
    return [row[1] for row in store.read(1, 0, 1000)]


def test_there_and_back(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 3)
    write(store, 2, 4, gone=(1, 2))
    store.close()
    again = opened(tmp_path / "spool")
    assert again.read(1, 3, 1) == [[4, 4, "my-hive/queen/t", '{"n": 4}']]
    assert again.marks() == [(1, "sensor-1", STREAM, 5)]
    size = len('{"n": 3}my-hive/queen/t') + ROW_BYTES
    assert again.held(Batch()) == [(1, "my-hive", "sensor-1", STREAM, 3, 3 * size, 5)]
    assert again.last_ids() == (1, 5, 1)


def test_its_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(LocalError, match=r"others may read it .mode 640.: chmod 600"):
        Store(path, "full").open()


def test_the_same_identity_is_there_once(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 2)
    write(store, 3)
    assert numbers(store) == [1, 2, 3]


@pytest.mark.parametrize("cut", range(0, 4200, 97))
def test_a_torn_tail_loses_whole_batches_at_most(tmp_path: Path, cut: int) -> None:
    """The file as a crash leaves it: without its last bytes."""
    store = opened(tmp_path / "spool")
    for first in (1, 11, 21):
        write(store, 10, first)
    wal = tmp_path / "spool-wal"
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "spool", copy)
    copy.chmod(0o600)
    data = wal.read_bytes()
    (tmp_path / "copy-wal").write_bytes(data[: len(data) - cut])
    store.close()
    torn = opened(copy)
    found = numbers(torn)
    assert found == list(range(1, len(found) + 1))
    assert len(found) % 10 == 0
    marks = torn.marks()
    assert [number for *_, number in marks] == ([len(found)] if found else [])
    assert cut or len(found) == 30


def test_a_damaged_file_is_put_aside_and_named(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    path.chmod(0o600)
    store = Store(path, "full")
    said = store.open()
    aside = next(tmp_path.glob("spool.damaged-*"))
    assert said.startswith(f"spool {path} is damaged (file is not a database): it is kept as {aside}")
    write(store, 1)
    assert numbers(store) == [1]


def test_one_gateway_at_a_time(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 1)
    with pytest.raises(LocalError, match="another gateway has it open"):
        Store(tmp_path / "spool", "full").open()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"spool .*/no/spool: "):
        Store(tmp_path / "no" / "spool", "full").open()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 1)
    database: sqlite3.Connection = store._db
    database.execute("PRAGMA max_page_count = 8")
    with pytest.raises(LocalError, match="database or disk is full"):
        write(store, 1000, 2)
    assert numbers(store) == [1]
    assert store.marks() == [(1, "sensor-1", STREAM, 1)]


def test_a_full_disk_does_not_hold_up_a_start(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 1)
    write(store, 0, 2, gone=(1,))
    store._db.execute("PRAGMA query_only = 1")
    assert store.held(Batch()) == []


def test_the_oldest_make_room(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 5)
    (trimmed,) = store.write(["[]"] * 6, [("my-hive", 2)])
    assert [row[0] for row in trimmed] == [1, 2]
    assert numbers(store) == [3, 4, 5]


def test_the_log_is_bounded_and_due_until_it_is_in_the_database(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    due: list[bool] = []
    for number in range(1, 4 * CHECKPOINT_BYTES // COMMIT_BYTES):
        write(store, 1, number, gone=(number - 1,))
        if store.checkpoint_due:
            store._db.set_trace_callback(lambda text: due.append(store.checkpoint_due))
            store.checkpoint()
            store._db.set_trace_callback(None)
            assert not store.checkpoint_due
    assert due and all(due)
    assert (tmp_path / "spool-wal").stat().st_size < 2 * CHECKPOINT_BYTES


def test_stale_marks_go_before_new_ones_come(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    begun = [(1, "a", "1"), (2, "a", "2"), (3, "b", "1")]
    store.write(["[]", "[]", json.dumps(begun), json.dumps({1: 5, 2: 6, 3: 7}), "[]", "[]"], [])
    stale, begun = [("a", "1"), ("b", None)], [(4, "b", "1")]
    store.write(["[]", "[]", json.dumps(begun), json.dumps({4: 8}), json.dumps(stale), "[]"], [])
    assert store.marks() == [(2, "a", "2", 6), (4, "b", "1", 8)]


def test_a_mark_does_not_go_back(tmp_path: Path) -> None:
    store = opened(tmp_path / "spool")
    write(store, 5)
    store.write(["[]", "[]", "[]", json.dumps({1: 3}), "[]", "[]"], [])
    assert store.marks() == [(1, "sensor-1", STREAM, 5)]


def test_the_log_of_gateways_that_were_killed_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    for life in range(24):
        store = opened(path)
        for _ in range(CHECKPOINT_BYTES // NOTE_BYTES // 4):
            store.note("[]")
            if store.checkpoint_due:
                store.checkpoint()
        following = tmp_path / f"spool-{life}"
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{following}{suffix}")
        store.close()
        path = following
    assert Path(f"{path}-wal").stat().st_size < 2 * CHECKPOINT_BYTES
