"""How a request ends: its statuses on the wire, and the errors of whoever asked."""

from .errors import EventHiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How a request ended: with what a hook returned; with what it raised; with nobody who hooks the event; or not at all.
VALUE = 0
RAISED = 1
NOBODY = 2
UNDONE = 3

# How long an answer is waited for, unless who asks says otherwise: a hook that works at human speed, on a board that
# has to be reached over Wi-Fi.
REQUEST_S = 5


class RequestError(EventHiveError):
    """A request got no answer; the branches say why."""


class RequestTimeout(RequestError):
    """No answer came in time; the event may have been dealt with, or may still be."""


class NobodyHooks(RequestError):
    """No function hooks the event that was requested, or the carrier says that nobody has received it."""


class RemoteError(RequestError):
    """A hook of the event raised; the text is that of its exception."""


def status_of(error: "RequestError | None") -> int:
    """How a request ended, from the error that tells it; None where there is a value."""
    if error is None:
        return VALUE
    return NOBODY if isinstance(error, NobodyHooks) else RAISED if isinstance(error, RemoteError) else UNDONE


def failure(name: str, status: int, why: "Any") -> RequestError:
    """The error for a reply without a value."""
    kind = NobodyHooks if status == NOBODY else RemoteError if status == RAISED else RequestError
    why = str(why)
    return kind(why if why.startswith(name) else "%s: %s" % (name, why))
