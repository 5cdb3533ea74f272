"""Errors of the host package that are not the core's."""

from .core.errors import LocalError


class ConnectorInitializationException(LocalError):
    """A connector that `init` was told to require is not connected."""
