"""Requests over a link: events whose hooks' answer comes back to whoever asked.

Rules of this file:
1. Requests and replies have no event numbers: they are sent once, and end with their session. So a request is dealt
   with at most once, and whoever asked is told where that is not known.
2. Either end asks; the numbers of requests belong to the end that asked, in one session.
"""

from .envelope import ASK, REPLY, encode
from .errors import LimitError, LocalError
from .outcomes import UNDONE, VALUE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .session import Session

# Requests under way in one direction: each waits in the heap of a board.
MAX_REQUESTS = 16

# How long a gateway waits for an answer for a device, which may wait for less; a person has gone by then.
MAX_REQUEST_S = 60

# Digits and commas around the data of a request or a reply.
_FRAME_BYTES = 32


def ask(session: "Session", number: int, name: str, payload: bytes) -> None:
    """Send a request, with encoded data; `LimitError` when it is longer than the other end takes."""
    size = len(encode(name)) + len(payload) + _FRAME_BYTES
    if size > session.room:
        raise LimitError("%s: a request of %d bytes, %d fit this link" % (name, size, session.room))
    session.say(b"[%d,%d,%s,%s]" % (ASK, number, session.named(name), payload))


def reply(session: "Session", number: int, status: int, data: "Any") -> None:
    """Answer a request with what a hook returned, or with why not; what cannot travel is replaced by why."""
    room = session.room - _FRAME_BYTES
    try:
        payload = encode(data)
        if status == VALUE and len(payload) > room:
            raise LimitError("an answer of %d bytes, %d fit this link" % (len(payload), room))
    except LocalError as error:
        status, data = UNDONE, "what the hook returned cannot travel: %s" % error
        payload = encode(data)
    while len(payload) > room:
        data = data[: len(data) // 2]
        payload = encode(data)
    session.say(b"[%d,%d,%d,%s]" % (REPLY, number, status, payload))
