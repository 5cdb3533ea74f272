"""A device of `eventhive chaos`, on either interpreter: calls events, and writes down which are acknowledged.

Arguments: its name, the number of this start, and "stuck" where its random source is to be.
"""

import asyncio
import os
import sys

NAME, START = sys.argv[1], int(sys.argv[2])

# Events that may wait for their acknowledgement.
IN_FLIGHT = 64

# Numbers of one start: so none is used twice, whatever was called before.
NUMBERS = 1000000


class Stuck:
    """Stands in for the module `os`."""

    stat, rename = os.stat, os.rename

    @staticmethod
    def urandom(count):
        """The same bytes after each start, as on an emulated board."""
        return bytes(count)


if sys.argv[3:] == ["stuck"]:
    sys.modules["os"] = Stuck

import eventhive  # noqa: E402 - it takes `urandom` when it is loaded


def over():
    """True when no more events are wanted."""
    try:
        os.stat("over")
        return True
    except OSError:
        return False


async def main():
    """Call events of two names in turn, until this process is killed."""
    number = START * NUMBERS
    waiting = {}
    acknowledged = 0
    with open("history", "a") as history:
        while True:
            while acknowledged < eventhive.outbox.acked:
                acknowledged += 1
                history.write("%d\n" % waiting.pop(acknowledged))
            history.flush()
            if len(waiting) < IN_FLIGHT and not over():
                number += 1
                name = "my-hive/queen/" + "ab"[number // 5 % 2]
                queued = eventhive.call(name, {"device": NAME, "n": number})
                if queued:
                    waiting[queued] = number
            await asyncio.sleep(0.01)


eventhive.init()
asyncio.run(eventhive.run(main()))
