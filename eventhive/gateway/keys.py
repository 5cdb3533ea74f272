"""The key file: which devices there are, their keys, and what each may publish and receive.

Rules of this file:
1. The file is the owner's alone (mode 600); one that others may read is refused, because its keys are no secret then.
2. It is replaced as a whole, under a lock, and is on disk before a new key is given out.
3. Keys are made here, from the system's randomness; a key appears in no log and no repr.

    {"sensor-1": {"key": "64 hex digits", "keygen": 0, "publish": ["my-hive/*/*"], "receive": ["sensor-1/*"]}}

Beside these, an entry may have "rate", events a second, with "burst", how many may come at once (it is as the rate
where it is missing), "size", characters of JSON of one event, and "ttl", how long commands for it live, in seconds;
and "since", when its key came into use, in seconds since 1970.

A device that is given a new key has that as "next_key" beside the old one, until it has used it: then the new key takes
the place of the old one, and `keygen` is one more.
"""

import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..core.errors import LocalError
from ..core.ids import is_id
from ..core.keys import KEY_BYTES

# The number of a key travels in one byte.
MAX_KEYGEN = 255

_FIELDS = {"key": str, "keygen": int, "publish": list, "receive": list}
_OPTIONAL = {"next_key": str, "rate": float, "burst": int, "size": int, "ttl": int, "since": int}

# The most that a limit may say: far above what any device does, and still exact.
MAX_LIMIT = 1_000_000
# The year 4000, in seconds since 1970: what is later is no time.
MAX_SINCE = 64_060_588_800


@dataclass(frozen=True)
class Entry:
    """One device: its key, the number of that key, and globs of what it may publish and receive; no glob, no right.

    `next_key` is one that it was given and has not used yet; its number is `next_keygen`. `rate` are events a second,
    `burst` how many at once, `size` characters of JSON of one event; 0 where there is no such limit. `ttl` are seconds
    that commands for it live; 0: as many as the gateway's configuration says. `since`: when the key came into use, in
    seconds since 1970; 0: not known.
    """

    key: bytes = field(repr=False)
    keygen: int
    publish: tuple[str, ...]
    receive: tuple[str, ...]
    next_key: bytes | None = field(default=None, repr=False)
    rate: float = 0
    burst: int = 0
    size: int = 0
    ttl: int = 0
    since: int = 0

    @property
    def next_keygen(self) -> int:
        """The number of a key that replaces this one."""
        return (self.keygen + 1) % (MAX_KEYGEN + 1)


class KeyStore:
    """The key file at `path`, which need not exist yet."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def load(self) -> dict[str, Entry]:
        """All devices by their names, none when there is no file; `LocalError` names file, device and fault."""
        try:
            with self.path.open("rb") as file:
                self._check_mode(os.fstat(file.fileno()))
                text = file.read()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LocalError(f"key file {self.path}: {error.strerror}") from None
        return self._parse(text)

    def add(self, name: str, networks: Iterable[str]) -> Entry:
        """Make a key for a new device, which may publish on these networks and receive what is for its own channel."""
        if not is_id(name):
            raise LocalError(f"device '{name}': a name is 1 to 32 letters, digits, '-' and '_'")
        with self._locked():
            entries = self.load()
            if name in entries:
                raise LocalError(f"device '{name}' is in {self.path} already: to give it a new key, remove it first")
            publish = tuple(f"{network}/*/*" for network in networks)
            entries[name] = Entry(os.urandom(KEY_BYTES), 0, publish, (f"{name}/*",), since=int(time.time()))
            self._write(entries)
        return entries[name]

    def remove(self, name: str) -> None:
        """Forget a device and its key."""
        with self._locked():
            entries = self._known(name)
            del entries[name]
            self._write(entries)

    def rekey(self, name: str) -> Entry:
        """Make a new key for a device; the old one is good until the first use of the new one."""
        return self._change(name, lambda entry: replace(entry, next_key=os.urandom(KEY_BYTES)))

    def allow(self, name: str, publish: Iterable[str], receive: Iterable[str], **limits: float | None) -> Entry:
        """Let a device do more: globs that are added to its rights; `limits` (rate, burst, size, ttl) not None."""
        given: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
        for key, value in given.items():
            if not 0 <= value <= MAX_LIMIT:
                raise LocalError(f"device '{name}': {key}: a number from 0 (no limit) to {MAX_LIMIT} is needed")
        return self._change(
            name,
            lambda entry: replace(
                entry, publish=_union(entry.publish, publish), receive=_union(entry.receive, receive), **given
            ),
        )

    def deny(self, name: str, publish: Iterable[str], receive: Iterable[str]) -> Entry:
        """Take globs away from the rights of a device; `LocalError` names one that it has not."""
        publish, receive = set(publish), set(receive)

        def less(entry: Entry) -> Entry:
            for right, had, taken in (("publish", entry.publish, publish), ("receive", entry.receive, receive)):
                for glob in taken - set(had):
                    has = ", ".join(had) or "none"
                    raise LocalError(f"device '{name}' has no right to {right} '{glob}'; it has: {has}")
            return replace(
                entry,
                publish=tuple(glob for glob in entry.publish if glob not in publish),
                receive=tuple(glob for glob in entry.receive if glob not in receive),
            )

        return self._change(name, less)

    def _change(self, name: str, change: Callable[[Entry], Entry]) -> Entry:
        with self._locked():
            entries = self._known(name)
            entries[name] = change(entries[name])
            self._write(entries)
        return entries[name]

    def promote(self, name: str, key: bytes) -> None:
        """A device has used its new key: forget the old one. Without effect where that is not its new key any more."""
        with self._locked():
            entries = self.load()
            entry = entries.get(name)
            if entry is not None and entry.next_key == key:
                now = int(time.time())
                entries[name] = replace(entry, key=key, keygen=entry.next_keygen, next_key=None, since=now)
                self._write(entries)

    def _known(self, name: str) -> dict[str, Entry]:
        entries = self.load()
        if name not in entries:
            raise LocalError(f"device '{name}' is not in {self.path}")
        return entries

    def _check_mode(self, status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LocalError(f"key file {self.path}: others may read it (mode {mode:o}): chmod 600 {self.path}")

    def _parse(self, text: bytes) -> dict[str, Entry]:
        try:
            devices = json.loads(text, object_pairs_hook=self._object)
        except (ValueError, RecursionError) as error:
            raise LocalError(f"key file {self.path}: not JSON: {error}") from None
        if not isinstance(devices, dict):
            raise LocalError(f"key file {self.path}: must be an object, device names to their entries")
        entries = {name: self._entry(name, fields) for name, fields in devices.items()}
        owners: dict[bytes, str] = {}
        for name, entry in entries.items():
            for key in filter(None, (entry.key, entry.next_key)):
                if owners.setdefault(key, name) != name:
                    both = f"'{owners[key]}' and '{name}'"
                    raise LocalError(f"key file {self.path}: {both} have the same key: remove one and add it")
        return entries

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise LocalError(f"key file {self.path}: {twice!r} is there twice: keep one")
        return found

    def _entry(self, name: str, fields: Any) -> Entry:
        def fault(what: str) -> LocalError:
            return LocalError(f"key file {self.path}: device {name!r}: {what}")

        if not is_id(name):
            raise fault("a name is 1 to 32 letters, digits, '-' and '_'")
        if not isinstance(fields, dict):
            raise fault(f"must be an object with {', '.join(_FIELDS)}")
        if type(fields.get("rate")) is int:
            fields = {**fields, "rate": float(fields["rate"])}
        known = {**_FIELDS, **_OPTIONAL}
        for key in fields:
            if key not in known:
                raise fault(f"unknown key {key!r}; known: {', '.join(known)}")
        for key, kind in known.items():
            if type(fields.get(key)) is not kind and (key in fields or key in _FIELDS):
                raise fault(f"'{key}' is missing" if key not in fields else f"'{key}' must be a JSON {_KINDS[kind]}")
        return Entry(
            _key("key", fields["key"], fault),
            _keygen(fields["keygen"], fault),
            _globs("publish", fields["publish"], fault),
            _globs("receive", fields["receive"], fault),
            _key("next_key", fields["next_key"], fault) if "next_key" in fields else None,
            **{key: _limit(key, fields[key], fault) for key in (*_LIMITS, "since") if key in fields},
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # The folder is what is locked: the file itself is replaced.
        try:
            folder = os.open(self.path.parent, os.O_RDONLY)
        except OSError as error:
            raise LocalError(f"key file {self.path}: its folder: {error.strerror}") from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, entries: dict[str, Entry]) -> None:
        devices = {name: _fields(entry) for name, entry in sorted(entries.items())}
        try:
            # Its mode is 600 from the start.
            number, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        except OSError as error:
            raise LocalError(f"key file {self.path}: cannot be written: {error.strerror}") from None
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(devices, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except OSError as error:
            os.unlink(name)
            raise LocalError(f"key file {self.path}: cannot be written: {error.strerror}") from None


_KINDS = {str: "string", int: "integer", float: "number", list: "array of strings"}
_LIMITS = ("rate", "burst", "size", "ttl")


def _fields(entry: Entry) -> dict[str, Any]:
    fields = {**asdict(entry), "key": entry.key.hex()}
    next_key = fields.pop("next_key")
    for key in (*_LIMITS, "since"):
        if not fields[key]:
            del fields[key]
    return {**fields, "next_key": next_key.hex()} if next_key else fields


def _key(name: str, text: str, fault: Any) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(text) != 2 * KEY_BYTES:
        raise fault(f"'{name}' must be {2 * KEY_BYTES} hex digits: remove the device and add it again")
    return key


def _keygen(number: int, fault: Any) -> int:
    if not 0 <= number <= MAX_KEYGEN:
        raise fault(f"'keygen' must be 0 to {MAX_KEYGEN}")
    return number


def _globs(key: str, globs: list[Any], fault: Any) -> tuple[str, ...]:
    if not all(isinstance(glob, str) and glob for glob in globs):
        raise fault(f"'{key}' must be a JSON array of strings")
    return tuple(globs)


def _limit(key: str, value: Any, fault: Any) -> Any:
    largest = MAX_SINCE if key == "since" else MAX_LIMIT
    if not 0 <= value <= largest:
        raise fault(f"'{key}' must be 0 (none) to {largest}")
    return value


def _union(globs: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*globs, *more)))
