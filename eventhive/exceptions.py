"""Errors of the host package; those of requests are the core's, because boards raise them too."""

from .core.errors import EventHiveError, LocalError
from .core.outcomes import NobodyHooks, RemoteError, RequestError, RequestTimeout

__all__ = [
    "ConnectorInitializationException",
    "HookException",
    "NobodyHooks",
    "RemoteError",
    "RequestError",
    "RequestTimeout",
]


class ConnectorInitializationException(LocalError):
    """A connector that `init` was told to require is not connected."""


class HookException(EventHiveError):
    """An event cannot be called: a hook waits for modules that have not hooked it, or an argument's name is taken."""
