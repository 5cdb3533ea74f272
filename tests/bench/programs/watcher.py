"""A process of a hive that sees each event when its network does, not when a hook runs: `watcher.py CONFIG`.

As member.py, but that events are checked, and their times taken, in the loop that read them.
"""

import gc
import sys
from pathlib import Path
from typing import Any

from checker import Checker, ready, serve

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from eventhive.config import Settings, build
from eventhive.eventlist import ProgramEvents
from eventhive.hive import Hive

EVENT = "my-hive/queen/temperature"


class Watcher:
    """Takes part in a network as a hook does."""

    def __init__(self, checker: Checker):
        self._checker = checker

    def deliver(self, topic: str, data: Any) -> None:
        self._checker.take(data)

    def ask(self, topic: str, question: Any) -> None:
        question.nobody()

    def takes(self, topic: str) -> bool:
        return False

    def take(self, topic: str, arrival: Any) -> bool:
        return False


def main() -> None:
    """Serve until the input ends."""
    checker = Checker()
    settings = Settings()
    settings.read_file(sys.argv[1])
    hive = Hive(build(settings), ProgramEvents())
    hive.start(lambda hive: hive.networks["my-hive"].subscribe(EVENT, Watcher(checker)))
    # The pauses that it makes here are none of the gateway.
    gc.disable()
    ready(hive.servers)
    serve(checker)
    hive.stop()


main()
