"""The errors of the core: who has to act decides the branch.

`LocalError`: this program gave something that cannot be used; mend the code or the configuration.
`PeerError`: the other end broke the protocol; drop the session, keep serving the others.
"""


class EventHiveError(Exception):
    """Base of every error this package raises on purpose."""


class LocalError(EventHiveError):
    """A fault of the calling program or of its configuration."""


class LimitError(LocalError):
    """No more can wait: what holds it is full."""


class PeerError(EventHiveError):
    """The other end of a link broke the protocol, or could not prove who it is."""
