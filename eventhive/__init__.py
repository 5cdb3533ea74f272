"""EventHive: events across processes, networks and microcontrollers.

A program declares events, hooks functions to them, configures networks and calls `init()`. The number of parts in the
name of an event decides where it goes: `event` stays in this process, `channel/event` can be reached from outside over
the networks whose `input_channel` is `channel`, and `network/channel/event` is sent over that network.

Nothing is connected, started or read before `init()`; what that needs is imported then.
"""

import signal as _signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from .core.errors import EventHiveError, LimitError, LocalError, PeerError
from .core.outcomes import REQUEST_S
from .core.version import VERSION
from .defaults import DEFAULTS
from .eventlist import ProgramEvents, WaterfallEvents, current_event
from .exceptions import (
    ConnectorInitializationException,
    HookException,
    NobodyHooks,
    RemoteError,
    RequestError,
    RequestTimeout,
)
from .logger import logger
from .settings import ConfigError, Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .config import Config
    from .hive import Hive, Started

__all__ = [
    "BROADCASTERS",
    "CONFIG",
    "CONFIG_DICT",
    "CONNECTORS",
    "EVENTS",
    "SERVERS",
    "WATERFALL",
    "ConfigError",
    "ConnectorInitializationException",
    "EventHiveError",
    "HookException",
    "LimitError",
    "LocalError",
    "NobodyHooks",
    "PeerError",
    "RemoteError",
    "RequestError",
    "RequestTimeout",
    "__version__",
    "append",
    "events",
    "get_event_name",
    "hook",
    "init",
    "logger",
    "register",
    "request",
    "request_async",
    "reset",
    "run_forever",
    "stop",
]

__version__ = VERSION

Function = TypeVar("Function", bound=Callable[..., Any])

# Seconds that `stop` allows for what is under way.
STOP_SECONDS = 5.0

_hive: "Hive | None" = None


def _outlet(event: str, data: Any) -> bool:
    hive = _hive
    if hive is None:
        logger.warning("%s is not sent: eventhive.init() was not called", event)
        return False
    return hive.call(event, data)


EVENTS = ProgramEvents(_outlet)
# Events whose hooks feed each other, in this process only.
WATERFALL = WaterfallEvents()
CONFIG = Settings({"eventhive": dict(DEFAULTS), "connectors": {}, "servers": {}}, over_default=True)
CONFIG_DICT = CONFIG.values
# The connectors, servers and announcements that are running, by the name of their network.
CONNECTORS: dict[str, Any] = {}
SERVERS: dict[str, Any] = {}
BROADCASTERS: dict[str, Any] = {}


def append(event: str | list[str], help: str = "") -> None:
    """Declare one event, or each of a list; the hooks of one that is declared already are kept."""
    EVENTS.append(event, help)


def hook(
    event: str | list[str] = "*",
    dependencies: str | Iterable[str] | None = None,
    expand: bool = True,
    *,
    event_list: ProgramEvents = EVENTS,
) -> Callable[[Function], Function]:
    """Decorate a function that is called with the data of an event, of each of a list, or of a glob of declared ones.

    An event that is not declared yet is declared; with `expand=False` a name is taken as it is, even if it looks like a
    glob. `dependencies` are modules whose hooks of the event come first; until each has one, the function waits, and
    calling the event raises `HookException`. A parameter named `__retvals__` is given what the hooks before returned.
    `event_list` is `EVENTS` or `WATERFALL`.

    Hooks of events that arrive run in order, in a thread of their own; one that is slow holds up its own event only,
    and is counted in `EVENTS.slow`, one that raises is logged and counted in `EVENTS.failed`. An `async def` function
    runs in a loop of the package; the next event of its name waits until it has ended.
    """

    def decorate(function: Function) -> Function:
        event_list.hook(function, event, dependencies, expand)
        return function

    return decorate


def register(
    event: str | list[str],
    function: Function,
    dependencies: str | Iterable[str] | None = None,
    expand: bool = True,
) -> Function:
    """As `hook`, for a function that is there already; returns it."""
    EVENTS.hook(function, event, dependencies, expand)
    return function


def reset() -> None:
    """Forget all events and hooks, of `EVENTS` and of `WATERFALL`."""
    EVENTS.clear()
    WATERFALL.clear()


def events(pattern: str = "*") -> list[str]:
    """The declared events that match a glob, sorted."""
    return EVENTS.match(pattern)


def get_event_name() -> str | None:
    """The name of the event whose hook is running in this thread; None outside of hooks."""
    return current_event()


def request(event: str, data: Any = None, timeout: float = REQUEST_S) -> Any:
    """Call an event and return what its hook returns; of several hooks, what the first returns that is not None.

    The event is one that travels, or one of this process. Raises `RequestTimeout` when no answer comes within `timeout`
    seconds, `NobodyHooks` when nobody hooks it as far as the carrier knows, `RemoteError` when the hook raised, all
    three `RequestError`, and `LocalError` as `EVENTS.call` does.
    """
    return _requested(event, data, timeout).result()


async def request_async(event: str, data: Any = None, timeout: float = REQUEST_S) -> Any:
    """As `request`, awaited in whatever loop the program runs."""
    import asyncio

    value = await asyncio.wrap_future(_requested(event, data, timeout))
    if not isinstance(value, asyncio.Future):
        return value
    # The hook is a coroutine of this process.
    try:
        return await asyncio.wait_for(value, timeout)
    except TimeoutError:
        raise RequestTimeout(f"{event}: no reply within {timeout:g} s") from None


def init(required: Iterable[str] = ()) -> "Started":
    """Start what is configured: servers, connectors, gateway.

    Returns when each network is connected or known not to be, and says which (`Started`: `up`, `down`, `servers`; true
    where all are); one that is away is connected as soon as it is back.
    What the program has configured lies over the file that EVENTHIVE_CONFIG names, or `eventhive.yaml` of the working
    folder, where there is one. Raises `ConfigError`, `LocalError` for what cannot be opened, and
    `ConnectorInitializationException` when a `required` network is not connected.
    """
    global _hive
    if _hive is not None:
        raise LocalError("eventhive.init() was called before: call eventhive.stop() first")
    CONFIG.lay_default()
    from .config import build
    from .hive import Hive
    from .scripts import SCRIPTS

    SCRIPTS.load()
    _clear()
    hive = _hive = Hive(build(CONFIG), EVENTS, (CONNECTORS, SERVERS, BROADCASTERS))
    try:
        hive.start()
        _require(required)
        _start_gateway(hive)
    except BaseException:
        stop(0)
        raise
    return hive.started


def stop(timeout: float = STOP_SECONDS) -> None:
    """Send what was called, disconnect and end, within `timeout` seconds; `init` may follow.

    It also happens when the program ends, and has no effect before `init`.
    """
    global _hive
    hive = _hive
    if hive is not None:
        # Until it has stopped, hooks may call: what they call is still sent.
        hive.stop(timeout)
        if _hive is hive:
            _hive = None
            _clear()


def run_forever() -> None:
    """Wait for SIGTERM or Ctrl-C, then `stop`; to be called in the main thread."""
    from queue import SimpleQueue

    # A handler interrupts the thread that waits here: an Event's lock may be taken then, and this queue has none.
    asked: SimpleQueue[int] = SimpleQueue()
    before = _signal.signal(_signal.SIGTERM, lambda number, frame: asked.put(number))
    try:
        asked.get()
    except KeyboardInterrupt:
        pass
    finally:
        # A service manager may send the signal twice: the second one must not cut `stop` short.
        stop()
        _signal.signal(_signal.SIGTERM, before)


def _requested(event: str, data: Any, timeout: float) -> "Future[Any]":
    from .core.names import is_remote

    if not is_remote(event):
        return _answered_here(event, data)
    if _hive is None:
        raise LocalError(f"{event} is a remote event: call eventhive.init() first")
    return _hive.request(event, data, timeout)


def _answered_here(event: str, data: Any) -> "Future[Any]":
    from concurrent.futures import Future

    from .replies import first_result

    future: Future[Any] = Future()
    results = EVENTS[event](data) if event in EVENTS else None
    if not results:
        raise NobodyHooks(f"{event}: nobody hooks it in this process")
    future.set_result(first_result(results))
    return future


def _clear() -> None:
    for running in (CONNECTORS, SERVERS, BROADCASTERS):
        running.clear()


def _require(required: Iterable[str]) -> None:
    for name in required:
        connector = CONNECTORS.get(name)
        if connector is None:
            raise ConnectorInitializationException(f"connector '{name}' is required, but not configured")
        if not connector.connected:
            raise ConnectorInitializationException(f"connector '{name}' is required: {connector.state}")


def _start_gateway(hive: "Hive") -> None:
    if hive.config.gateway is not None:
        from .gateway.daemon import Gateway

        hive.attach(Gateway(hive.config, hive, _reread))


def _reread() -> "Config":
    from .config import build

    if CONFIG.again is None:
        raise LocalError("this gateway is part of a program: restart that to have another configuration")
    config = build(CONFIG.again())
    if config.gateway is None:
        raise LocalError("there is no 'gateway:' section any more")
    return config
