"""The hooks of the checker, a process of its own: each event is written down as it comes.

Arguments: the port of the hive's server, the file of this life's history.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import eventhive

from .beats import quicken

CONFIG = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen, init: {host: 127.0.0.1, port: %s}}
"""

NAMES = ("queen/a", "queen/b")


def writer(history: int, name: str) -> Callable[[dict[str, Any]], None]:
    """The hook of one name."""

    def taken(data: dict[str, Any]) -> None:
        # One write, which is whole or not there at all, and is in the kernel's hands before the event is confirmed:
        # so a kill loses no line of what was confirmed.
        os.write(history, f"{name} {data['device']} {data['n']}\n".encode())

    return taken


def main(port: str, path: str) -> None:
    """Take events until the process is ended."""
    history = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    quicken()
    eventhive.CONFIG.read_string(CONFIG % port)
    for name in NAMES:
        eventhive.EVENTS.hook(writer(history, name), name)
    eventhive.init()
    print("ready", flush=True)
    eventhive.run_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
