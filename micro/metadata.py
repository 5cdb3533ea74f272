"""The metadata that EventHive 0.5.0 puts into a message; loaded only where `remove_metadata` is false."""

from binascii import hexlify
from os import urandom

from eventhive.core.version import VERSION


def load(name, data, key, time_ms):
    """A copy of `data` that carries its time (seconds since 1970), version, event and id under `key`."""
    data = dict(data)
    data[key] = {"time": time_ms // 1000, "version": VERSION, "event": name, "id": hexlify(urandom(16)).decode()}
    return data
