"""What a session takes from its peer beside acknowledgements and heartbeats: streams, events, hooks, the goodbye.

A board loads it with the first such message; the rules are those of `session.py`.
"""

from .envelope import ASK, BYE, EVENT, HOOKS, ONCE, REPLY, STATUS, STREAM, check_data
from .errors import LocalError, PeerError
from .ids import is_stream
from .mark import Mark
from .session import MAX_ALIASES, REJECTED, is_count
from .spelling import check_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .session import Event, Session


class Incoming:
    """What the peer of a session numbers and names; `mark` is that of its stream, None until it has named one."""

    def __init__(self, session: "Session"):
        self.mark: "Mark" = None  # type: ignore[assignment]
        if session.marks is None:
            session.marks = Mark()
        self._session = session
        self._next = 0
        self._names: "list[str]" = []

    def take(self, message: "list[Any]") -> "Event | None":
        """The event that a message makes, or None; raises `PeerError`."""
        kind, size, session = message[0], len(message), self._session
        if (kind == EVENT and size > 2) or (kind == ONCE and size > 2):
            return self._take_event(message)
        if kind == STREAM and size > 2 and is_stream(message[1]) and is_count(message[2]) and message[2]:
            self.mark = session.marks.resume(message[1], message[2])  # type: ignore[union-attr]
            self._next = message[2]
            return None
        if (kind == ASK or kind == REPLY) and size > 3 and is_count(message[1]):
            return self._take_request(message)
        if kind == BYE and size > 2 and type(message[1]) is str and is_count(message[2]):
            session.closed = "the other end said goodbye: %s" % message[1]
            return (BYE, message[1], message[2])
        if kind == HOOKS or kind == STATUS:
            return (kind, message[1:])
        # Not the message itself: it may be nested deeper than a board can write it down.
        raise PeerError("%s: unknown, malformed or impossible message of kind %d" % (session.state, kind))

    def unreadable(self) -> "Event | None":
        """What a record that is not JSON makes: a sender that cannot check an event sends it alone."""
        return self._reject("not JSON") if self._count() else None

    def confirm(self) -> None:
        """Acknowledge all that was taken so far: it is where it has to be."""
        self.mark.confirmed = self.mark.taken
        self._session.due = self.mark

    def _take_event(self, message: "list[Any]") -> "Event | None":
        kind, name, data = message[:3]
        name = self._name(name)
        if kind == EVENT and not self._count():
            return None
        try:
            check_data(data)
        except LocalError as error:
            return self._reject(str(error)) if kind == EVENT else None
        if kind == ONCE:
            return (ONCE, name, data, 0)
        event = (EVENT, name, data, self.mark.taken)
        return event + (message[3],) if len(message) > 3 and is_count(message[3]) else event

    def _take_request(self, message: "list[Any]") -> "Event | None":
        kind, number, name, data = message[:4]
        if kind == ASK:
            name = self._name(name)
        elif not is_count(name):
            raise PeerError("%s: a reply without a status" % self._session.state)
        try:
            check_data(data)
        except LocalError as error:
            from .outcomes import UNDONE
            from .requests import reply

            why = "its data is not usable: %s" % error
            if kind == REPLY:
                return (REPLY, number, UNDONE, why)
            reply(self._session, number, UNDONE, why)
            return None
        return (ASK, name, data, number) if kind == ASK else (REPLY, number, name, data)

    def _count(self) -> bool:
        """Number the event at hand; False when it was taken before, which is acknowledged again."""
        mark, number = self.mark, self._next
        if not mark:
            raise PeerError("%s: an event before its stream" % self._session.state)
        self._next = number + 1
        if number > mark.taken:
            mark.taken = number
            return True
        if number <= mark.confirmed:
            self._session.due = mark
        return False

    def _reject(self, why: str) -> "Event":
        return (REJECTED, self.mark.taken, why)

    def _name(self, name: object) -> str:
        known = self._names
        if type(name) is int:
            if 0 < name <= len(known):
                return known[name - 1]
            raise PeerError("%s: alias %d was never given" % (self._session.state, name))
        try:
            name = check_name(name)
        except LocalError as error:
            raise PeerError("%s: %s" % (self._session.state, error))
        if len(known) < MAX_ALIASES and name not in known:
            known.append(name)
        return name
