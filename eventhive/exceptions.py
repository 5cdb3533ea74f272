"""Errors of the host package that are not the core's."""

from .core.errors import EventHiveError, LocalError


class ConnectorInitializationException(LocalError):
    """A connector that `init` was told to require is not connected."""


class HookException(EventHiveError):
    """An event cannot be called: a hook waits for modules that have not hooked it, or an argument's name is taken."""


class RequestError(EventHiveError):
    """A request got no answer; the branches say why."""


class RequestTimeout(RequestError):
    """No answer came in time; the event may have been dealt with, or may still be."""


class NobodyHooks(RequestError):
    """No function hooks the event that was requested, or the carrier says that nobody has received it."""


class RemoteError(RequestError):
    """A hook of the event raised; the text is that of its exception."""
