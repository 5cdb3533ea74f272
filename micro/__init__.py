"""EventHive on a board: `EVENTS`, `hook`, `init`, `run`, `send`, `post`, `stop`, as on the host.

    import asyncio, eventhive

    @eventhive.hook("sensor-1/led")
    def led(data):
        print(data)

    eventhive.init()
    eventhive.EVENTS.call("my-hive/queen/temperature", {"celsius": 21.5})
    asyncio.run(eventhive.run())

After `init()` the attributes of the `Node` are attributes of this module: `await run(*coroutines)` keeps the link up
until `stop()`, `await send(event, data, timeout_s)` is True once the event was acknowledged, `post(event, data)` sends
one that may be lost, `await request_async(event, data, timeout)` is what a hook of that event returns, wherever it
runs (`requests.py`), `keep(event, policy)` says what is kept of an event when there is no room (`keep.py`), `await
sleep(ms)` ends with a deep sleep (`sleep.py`), `await lasting(function)` is a task that goes on after memory ran out in
it (`lasting.py`), `time_ms` is the gateway's time, `outbox` holds what waits.
"""

from eventhive.core.errors import EventHiveError, LocalError, PeerError

from .node import Node, forget, part

node = None
_events = None


def __getattr__(name):
    if name == "EVENTS":
        return _declared()
    if node is None:
        raise AttributeError("%s: call eventhive.init() first" % name)
    if name == "request_async":
        from .requests import requests

        return requests(node).request
    if name == "keep" or name == "sleep" or name == "lasting":
        return part(name)(node)
    return getattr(node, name)


def _declared():
    # Loaded with the first use: a program that only sends declares nothing.
    global _events
    if _events is None:
        from eventhive.core.registry import EventList

        _events = EventList(None)
        if node:
            node.listen(_events)
    return _events


def hook(event, expand=True):
    """Decorator: call the function when the event (a name, a glob of declared ones, or a list) is called or arrives."""

    def add(function):
        _declared().hook(function, event, expand)
        return function

    return add


def append(event, help=""):
    """Declare one event, or each of a list; `help` tells a reader what it is for."""
    _declared().append(event, help)


def get_event_name():
    """Inside a hook: the name of the event that called it."""
    return _declared().event


def init(settings="eventhive.json", boot_file="eventhive.boot"):
    """Set up the node from a file, or a dict of what would be in it; `LocalError` says what is wrong with it."""
    global node
    from .settings import check, read

    node = Node(check(settings) if type(settings) is dict else read(settings), boot_file)
    if _events:
        node.listen(_events)
    forget("eventhive.settings")
    return node
