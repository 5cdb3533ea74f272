"""The gateway's key file: `gateway/keys.py`, from a file."""

import functools
import os
import tempfile
from pathlib import Path

from cutting import DEEP
from oracle import require

from eventhive.core.errors import LocalError
from eventhive.gateway.keys import KeyStore

PORTABLE = False
STREAM = False
LONGEST = 600
SHARE = 4
ERRORS = (LocalError,)


@functools.cache
def _path():
    """One file for all inputs."""
    path = Path(tempfile.mkdtemp()) / "fuzzed.keys"
    path.touch(0o600)
    return path


def feed(pieces, seen):
    _path().write_bytes(pieces[0])
    store = KeyStore(_path())
    try:
        entries = store.load()
    except LocalError as error:
        require(str(error).isprintable(), f"an error that is no line: {error}")
        raise
    for name, entry in entries.items():
        require(entry.key.hex() not in repr(entry), "a repr shows a key")
        seen.append((name, entry.publish))
    # What was read is what is written.
    store._write(entries)
    require(store.load() == entries, "another file is written than was read")
    # The file is a new one now.
    require(os.stat(_path()).st_mode & 0o77 == 0, "others may read it")


def seeds():
    key, other = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    rights = '"publish": ["my-hive/*/*"], "receive": ["sensor-1/*"]'
    return {
        "one": ('{"sensor-1": {"key": "%s", "keygen": 0, %s}}' % (key, rights)).encode(),
        "limits": (
            '{"a": {"key": "%s", "keygen": 255, "next_key": "%s", "publish": [], "receive": [], "rate": 2, "burst": 5,'
            ' "size": 100}}' % (key, other)
        ).encode(),
        "same-key": ('{"a": {"key": "%s", "keygen": 0, %s}, "b": {"key": "%s", "keygen": 0, %s}}').encode()
        % (key.encode(), rights.encode(), key.encode(), rights.encode()),
        "twice": b'{"a": {}, "a": {}}',
        "deep": DEEP,
        "empty": b"",
    }
