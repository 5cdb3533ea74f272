"""The server of the checker's network, a process of its own. Argument: its port."""

import sys

import eventhive

from .beats import quicken

CONFIG = """
servers:
  my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: %s}}
"""

if __name__ == "__main__":
    quicken()
    eventhive.CONFIG.read_string(CONFIG % sys.argv[1])
    eventhive.init()
    print("ready", flush=True)
    eventhive.run_forever()
