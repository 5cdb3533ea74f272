"""Tasks of a program that go on after memory ran out in them. Loaded where a program has one."""

import gc

from .port import print_exception, sleep_ms, ticks_diff, ticks_ms

# The other tasks go on meanwhile, and give back what they have taken.
PAUSE_MS = 2000

# Memory in pieces stays in pieces: what fails so often, each time within a minute of the last, will not get on.
TIMES = 3
APART_MS = 60000


def load(node):
    """`lasting` of a node."""

    async def lasting(function, *arguments):
        """What `function(*arguments)` returns; where memory runs out in it, that is said, and it is called anew.

        The third time in a row, what waits is written to flash, where `spill` is set, and the board restarts; where it
        cannot, the error is raised, as any other is at once.
        """
        times, since = 0, ticks_ms()
        while True:
            try:
                return await function(*arguments)
            except MemoryError as error:
                raised = error
            gc.collect()
            now = ticks_ms()
            times = times + 1 if ticks_diff(now, since) < APART_MS else 1
            since = now
            if hasattr(gc, "mem_free"):
                node.log("eventhive: %d bytes of memory are free, after a task that failed:" % gc.mem_free())
            print_exception(raised)
            if times == TIMES:
                _restart(node, raised)
            await sleep_ms(PAUSE_MS)

    return lasting


def _restart(node, error):
    try:
        from machine import reset
    except ImportError:
        raise error
    node.log("eventhive: memory ran out %d times: the board starts anew" % TIMES)
    if node.spill:
        node.spill.write()
    reset()
