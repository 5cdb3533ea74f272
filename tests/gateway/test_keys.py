"""The key file: rights of the file, what is written, what is refused."""

import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from eventhive.core.errors import LocalError
from eventhive.gateway.keys import KeyStore

KEY = "0123456789abcdef" * 4
GOOD = {"key": KEY, "keygen": 0, "publish": ["my-hive/*/*"], "receive": ["sensor-1/*"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.keys"


def write(path: Path, content: Any, mode: int = 0o600) -> KeyStore:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return KeyStore(path)


def test_no_file_is_no_device(path: Path) -> None:
    assert KeyStore(path).load() == {}


def test_a_new_device_has_a_key_and_visible_rights(path: Path) -> None:
    entry = KeyStore(path).add("sensor-1", ["my-hive", "other"])
    assert len(entry.key) == 32
    assert KeyStore(path).load() == {"sensor-1": entry}
    assert json.loads(path.read_text()) == {
        "sensor-1": {
            "key": entry.key.hex(),
            "keygen": 0,
            "publish": ["my-hive/*/*", "other/*/*"],
            "receive": ["sensor-1/*"],
            "since": entry.since,
        }
    }


def test_the_file_is_the_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        KeyStore(path).add("sensor-1", ["my-hive"])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_use_is_refused(path: Path, mode: int) -> None:
    store = write(path, {"sensor-1": GOOD}, mode)
    for act in (store.load, lambda: store.add("b", []), lambda: store.remove("sensor-1")):
        with pytest.raises(LocalError, match=f"chmod 600 {re.escape(str(path))}"):
            act()


def test_keys_differ(path: Path) -> None:
    store = KeyStore(path)
    assert store.add("a", []).key != store.add("b", []).key


def test_a_key_is_in_no_repr(path: Path) -> None:
    entry = write(path, {"sensor-1": GOOD}).load()["sensor-1"]
    assert entry.key.hex() == KEY
    assert "key" not in repr(entry).replace("keygen", "")


def test_a_device_is_removed(path: Path) -> None:
    store = KeyStore(path)
    store.add("a", [])
    store.add("b", [])
    store.remove("a")
    assert set(store.load()) == {"b"}
    with pytest.raises(LocalError, match="'a' is not in"):
        store.remove("a")


def test_a_new_key_stands_beside_the_old_one_until_it_is_used(path: Path) -> None:
    keys = KeyStore(path)
    first = keys.add("sensor-1", ["my-hive"])
    second = keys.rekey("sensor-1")
    assert (second.key, second.keygen, second.next_keygen) == (first.key, 0, 1)
    assert second.next_key is not None
    assert second.next_key != first.key
    assert keys.load() == {"sensor-1": second}
    assert second.next_key.hex() not in repr(second)
    # Another one, before the first was used.
    third = keys.rekey("sensor-1")
    assert third.next_key not in (None, second.next_key)
    keys.promote("sensor-1", second.next_key)
    assert keys.load() == {"sensor-1": third}
    assert third.next_key is not None
    keys.promote("sensor-1", third.next_key)
    assert keys.load()["sensor-1"].key == third.next_key
    assert keys.load()["sensor-1"].keygen == 1
    assert "next_key" not in json.loads(path.read_text())["sensor-1"]
    keys.promote("unknown", third.next_key)
    with pytest.raises(LocalError, match="device 'unknown' is not in"):
        keys.rekey("unknown")


def test_the_number_of_a_key_begins_anew(path: Path) -> None:
    assert write(path, {"sensor-1": {**GOOD, "keygen": 255}}).rekey("sensor-1").next_keygen == 0


def test_a_device_is_added_once(path: Path) -> None:
    store = KeyStore(path)
    first = store.add("a", [])
    with pytest.raises(LocalError, match=r"'a' is in .* already"):
        store.add("a", [])
    assert store.load() == {"a": first}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 33, "*", "..", "a\n"])
def test_a_bad_name_is_refused(path: Path, name: str) -> None:
    with pytest.raises(LocalError, match="1 to 32 letters"):
        KeyStore(path).add(name, [])
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ('{"a": {}, "a": {}}', "'a' is there twice"),
        ({"a b": GOOD}, "device 'a b': a name is"),
        ({"sensor-1": 1}, "device 'sensor-1': must be an object"),
        ({"sensor-1": {**GOOD, "x": 1}}, "device 'sensor-1': unknown key 'x'"),
        ({"sensor-1": {**GOOD, "key": KEY[:-2]}}, "device 'sensor-1': 'key' must be 64 hex digits"),
        ({"sensor-1": {**GOOD, "key": KEY[:-1] + "g"}}, "device 'sensor-1': 'key' must be 64 hex digits"),
        ({"sensor-1": {**GOOD, "key": KEY[:-3] + " 00"}}, "device 'sensor-1': 'key' must be 64 hex digits"),
        ({"sensor-1": {**GOOD, "key": 7}}, "device 'sensor-1': 'key' must be a JSON string"),
        ({"sensor-1": {**GOOD, "keygen": 256}}, "'keygen' must be 0 to 255"),
        ({"sensor-1": {**GOOD, "keygen": True}}, "'keygen' must be a JSON integer"),
        ({"sensor-1": {**GOOD, "publish": "my-hive/*/*"}}, "'publish' must be a JSON array"),
        ({"sensor-1": {**GOOD, "receive": [1]}}, "'receive' must be a JSON array of strings"),
        ({"sensor-1": {**GOOD, "receive": [""]}}, "'receive' must be a JSON array of strings"),
        ({"sensor-1": {"key": KEY}}, "device 'sensor-1': 'keygen' is missing"),
        ({"sensor-1": GOOD, "sensor-2": GOOD}, "'sensor-1' and 'sensor-2' have the same key"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(path: Path, content: Any, fault: str) -> None:
    with pytest.raises(LocalError, match=re.escape(fault)) as caught:
        write(path, content).load()
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert KEY not in text


def test_no_rights_is_no_error(path: Path) -> None:
    assert write(path, {"sensor-1": {**GOOD, "publish": [], "receive": []}}).load()["sensor-1"].publish == ()


def test_a_failure_to_write_leaves_what_was_there(path: Path) -> None:
    store = KeyStore(path / "no-folder" / "keys")
    with pytest.raises(LocalError, match="its folder"):
        store.add("a", [])


def test_processes_that_add_at_once_lose_nothing(path: Path) -> None:
    code = "import sys; from eventhive.gateway.keys import KeyStore; KeyStore(sys.argv[1]).add(sys.argv[2], [])"
    names = [f"device-{number}" for number in range(8)]
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in names]
    assert [process.wait(30) for process in started] == [0] * len(names)
    assert set(KeyStore(path).load()) == set(names)


def test_since_when_a_key_is_in_use(path: Path) -> None:
    before = int(time.time())
    store = KeyStore(path)
    assert before <= store.add("a", []).since <= time.time()
    # A file of before knows nothing of it; a new key is in use when it is used, not when it is made.
    write(path, {"a": GOOD})
    assert store.load()["a"].since == 0
    key = store.rekey("a").next_key
    assert key is not None and store.load()["a"].since == 0
    store.promote("a", key)
    since = store.load()["a"].since
    assert before <= since <= time.time()
    assert store.allow("a", [], ["x/*"]).since == since
    for wrong in (-1, 10**12, 1.5, True):
        with pytest.raises(LocalError, match="device 'a': 'since' must be"):
            write(path, {"a": {**GOOD, "since": wrong}}).load()
