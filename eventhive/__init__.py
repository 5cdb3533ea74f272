"""EventHive: events across processes, networks and microcontrollers.

A program declares events, hooks functions to them, configures networks and calls `init()`. The number of parts in the
name of an event decides where it goes: `event` stays in this process, `channel/event` can be reached from outside over
the networks whose `input_channel` is `channel`, and `network/channel/event` is sent over that network.

Nothing is connected, started or read before `init()`; what that needs is imported then.
"""

import signal as _signal
import threading as _threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from .core.errors import EventHiveError, LimitError, LocalError, PeerError
from .core.version import VERSION
from .eventlist import ProgramEvents
from .exceptions import ConnectorInitializationException
from .logger import logger
from .settings import ConfigError, Settings

if TYPE_CHECKING:
    from .hive import Hive

__all__ = [
    "BROADCASTERS",
    "CONFIG",
    "CONFIG_DICT",
    "CONNECTORS",
    "EVENTS",
    "SERVERS",
    "ConfigError",
    "ConnectorInitializationException",
    "EventHiveError",
    "LimitError",
    "LocalError",
    "PeerError",
    "__version__",
    "append",
    "events",
    "get_event_name",
    "hook",
    "init",
    "logger",
    "run_forever",
    "stop",
]

__version__ = VERSION

Function = TypeVar("Function", bound=Callable[..., Any])

# Seconds that `stop` allows for what is under way.
STOP_SECONDS = 5.0

_SECTIONS: tuple[str, ...] = ("eventhive", "connectors", "servers")

_hive: "Hive | None" = None


def _outlet(event: str, data: Any) -> bool:
    hive = _hive
    if hive is None:
        logger.warning("%s is not sent: eventhive.init() was not called", event)
        return False
    return hive.call(event, data)


EVENTS = ProgramEvents(_outlet, _threading.local())
CONFIG = Settings({section: {} for section in _SECTIONS})
CONFIG_DICT = CONFIG.values
# The connectors, servers and announcements that are running, by the name of their network.
CONNECTORS: dict[str, Any] = {}
SERVERS: dict[str, Any] = {}
BROADCASTERS: dict[str, Any] = {}


def append(event: str | list[str], help: str = "") -> None:
    """Declare one event, or each of a list; the hooks of one that is declared already are kept."""
    EVENTS.append(event, help)


def hook(
    event: str | list[str] = "*", dependencies: None = None, expand: bool = True
) -> Callable[[Function], Function]:
    """Decorate a function that is called with the data of an event, of each of a list, or of a glob of declared ones.

    An event that is not declared yet is declared; with `expand=False` a name is taken as it is, even if it looks like a
    glob. Hooks of events that arrive run in one thread of their own, in order; one that raises is logged.
    """
    if dependencies:
        raise LocalError("hook: 'dependencies' is not available in this version")

    def decorate(function: Function) -> Function:
        EVENTS.hook(function, event, expand)
        return function

    return decorate


def events(pattern: str = "*") -> list[str]:
    """The declared events that match a glob, sorted."""
    return EVENTS.match(pattern)


def get_event_name() -> str | None:
    """The name of the event whose hook is running in this thread; None outside of hooks."""
    return getattr(EVENTS.context, "event", None)


def init(required: Iterable[str] = ()) -> None:
    """Start what is configured: servers, connectors, gateway.

    Returns when each network is connected or known not to be; one that is away is connected as soon as it is back.
    Where nothing was configured, the file that EVENTHIVE_CONFIG names is read, or `eventhive.yaml` of the working
    folder. Raises `ConfigError`, `LocalError` for what cannot be opened, and `ConnectorInitializationException` when a
    `required` network is not connected.
    """
    global _hive
    if _hive is not None:
        raise LocalError("eventhive.init() was called before: call eventhive.stop() first")
    if not CONFIG.was_read and not any(CONFIG_DICT.values()):
        CONFIG.read_default()
    from .config import build
    from .hive import Hive

    _clear()
    hive = _hive = Hive(build(CONFIG), EVENTS, (CONNECTORS, SERVERS, BROADCASTERS))
    try:
        hive.start()
        _require(required)
        _start_gateway(hive)
    except BaseException:
        stop(0)
        raise


def stop(timeout: float = STOP_SECONDS) -> None:
    """Send what was called, disconnect and end, within `timeout` seconds; `init` may follow.

    It also happens when the program ends, and has no effect before `init`.
    """
    global _hive
    hive, _hive = _hive, None
    if hive is not None:
        hive.stop(timeout)
        _clear()


def run_forever() -> None:
    """Wait for SIGTERM or Ctrl-C, then `stop`; to be called in the main thread."""
    asked = _threading.Event()
    before = _signal.signal(_signal.SIGTERM, lambda number, frame: asked.set())
    try:
        asked.wait()
    except KeyboardInterrupt:
        pass
    finally:
        # A service manager may send the signal twice: the second one must not cut `stop` short.
        stop()
        _signal.signal(_signal.SIGTERM, before)


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

        hive.attach(Gateway(hive.config, hive))
