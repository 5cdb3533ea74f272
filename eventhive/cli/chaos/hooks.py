"""The hooks of the checker, a process of its own: each event is written down as it comes.

Arguments: the port of the hive's server, the history.
"""

import os
import sys

import eventhive

CONFIG = """
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen, init: {host: 127.0.0.1, port: %s}}
"""


def main(port: str, path: str) -> None:
    """Take events until the process is ended."""
    history = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def taken(data: dict[str, object]) -> None:
        # One write, which is whole or not there at all.
        os.write(history, f"{data['device']} {data['n']}\n".encode())

    eventhive.CONFIG.read_string(CONFIG % port)
    eventhive.EVENTS.hook(taken, ["queen/a", "queen/b"])
    eventhive.init()
    print("ready", flush=True)
    eventhive.run_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
