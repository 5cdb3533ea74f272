"""EventHive on a board: `EVENTS`, `hook`, `init`, `run`, `send`, `post`, `stop`, as on the host.

    import asyncio, eventhive

    @eventhive.hook("sensor-1/led")
    def led(data):
        print(data)

    eventhive.init()
    eventhive.EVENTS.call("my-hive/queen/temperature", {"celsius": 21.5})
    asyncio.run(eventhive.run())
"""

import asyncio

from eventhive.core.errors import EventHiveError, LimitError, LocalError, PeerError
from eventhive.core.registry import EventList


def _no_outlet(name, data):
    raise LocalError("%s is a remote event: call eventhive.init() first" % name)


EVENTS = EventList(_no_outlet)
node = None


def append(event, help=""):
    """Declare an event, or each of a list."""
    EVENTS.append(event, help)


def hook(event, expand=True):
    """Decorator: call the function when the event (a name, a glob of declared ones, or a list) is called or arrives."""

    def add(function):
        EVENTS.hook(function, event, expand)
        return function

    return add


def get_event_name():
    """Inside a hook: the name of the event that called it."""
    return EVENTS.context.event


def init(settings="eventhive.json", boot_file="eventhive.boot"):
    """Set up the node from a file, or a dict of what would be in it; `LocalError` says what is wrong with it."""
    global node
    import sys

    from . import settings as reader
    from .node import Node

    node = Node(reader.check(settings) if type(settings) is dict else reader.read(settings), EVENTS, boot_file)
    # Reading is over: give the reader's heap back.
    del sys.modules[reader.__name__]
    return node


async def run(*tasks):
    """Keep the link up, and run these coroutines beside it, until `stop`."""
    started = [asyncio.create_task(task) for task in tasks]
    try:
        await node.run()
    finally:
        for task in started:
            task.cancel()


async def send(event, data=None, timeout_s=30):
    """Call a remote event and wait until it was acknowledged; False when it was not, in time: it stays queued."""
    return await node.send(event, data, timeout_s)


def post(event, data=None):
    """Call a remote event that may be lost: True when it was written to a link that is up."""
    return node.post(event, data)


def time_ms():
    """The gateway's time in milliseconds since 1970, 0 before the first connection."""
    return node.time_ms()


def stop():
    """End `run`, saying goodbye."""
    node.stop()
