"""A process of a hive with a hook that checks every event: `member.py CONFIG`; a gateway, a server, or neither.

Prints {"servers": {network: port}} when it is up. A question {"expect": n} is answered, once n events more than at the
last answer have come or none comes any more, with {"right", "wrong", "last_ns", "cpu_s", "entries"} and the resources
of checker.py: how many came in order and unaltered, how many otherwise, when the last hook was entered
(CLOCK_MONOTONIC), processor time of this process since the last answer, and with {"entries": true} the number of each
event and when its hook was entered. With {"device": id}, only events of that device count. It ends with its input.
"""

import json
import sys
import time
from pathlib import Path

from checker import Checker, resources

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import eventhive


def main() -> None:
    """Serve until the input ends."""
    checker = Checker()
    eventhive.CONFIG.read_file(sys.argv[1])
    eventhive.hook("queen/temperature")(checker.take)
    eventhive.init()
    print(json.dumps({"servers": {name: server.port for name, server in eventhive.SERVERS.items()}}), flush=True)
    cpu = time.process_time()
    for line in sys.stdin:
        question = json.loads(line)
        device = question.get("device")
        checker.wait(question["expect"], device)
        used = time.process_time() - cpu
        seen = checker.report(device, question.get("entries", False))
        print(json.dumps({**seen, **resources(), "cpu_s": used}), flush=True)
        cpu = time.process_time()
    eventhive.stop()


main()
