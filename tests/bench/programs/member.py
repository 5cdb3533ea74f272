"""A process of a hive with a hook that checks every event: `member.py CONFIG`; a gateway, a server, or neither.

Prints {"servers": {network: port}} when it is up, and answers as checker.py says, until its input ends.
"""

import sys
from pathlib import Path

from checker import Checker, ready, serve

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import eventhive


def main() -> None:
    """Serve until the input ends."""
    checker = Checker()
    eventhive.CONFIG.read_file(sys.argv[1])
    eventhive.hook("queen/temperature")(checker.take)
    eventhive.init()
    ready(eventhive.SERVERS)
    serve(checker)
    eventhive.stop()


main()
