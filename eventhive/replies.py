"""Requests: events whose hooks' answer travels back to whoever asked.

Rules of this file:
1. A request is an event like any other, with two members more in its metadata: `request`, a number, and `reply_to`, the
   inbox of who asked. So whatever carries and seals events carries and seals requests, and a process of EventHive 0.5.0
   runs its hooks and answers nothing.
2. The first answer counts. One that says "nobody hooks it" is kept for the time-out: somebody else may still answer.
3. An answer goes to an inbox, never to any other name: nobody can be made to send an event of somebody else's choice.
"""

import itertools
import re
from collections.abc import Callable
from typing import Any, Protocol

from .classic import dumps, loads
from .core.errors import EventHiveError, LocalError
from .core.names import SEPARATOR
from .exceptions import NobodyHooks, RemoteError, RequestError, RequestTimeout

# A process of 0.5.0 drops what has metadata without an `id`; and where it is known, replays are recognised by it.
ID = "id"
REQUEST = "request"
REPLY_TO = "reply_to"
# Where data is that is no dict, and so has no place for metadata of its own.
DATA = "data"

REPLY = "reply"
VALUE = "value"
ERROR = "error"
NOBODY = "nobody"

# Random bytes of an inbox: what nobody was told, nobody guesses.
INBOX_BYTES = 16
_INBOX = re.compile(f"_inbox-[0-9a-f]{{{2 * INBOX_BYTES}}}/reply")

# Characters of an exception's text: a line of a log, and far below what the shortest link carries.
MAX_ERROR = 200

Members = dict[str, Any]
# Told the value, or why there is none.
Answered = Callable[[Any, "RequestError | None"], None]


def inbox(network: str, token: bytes) -> str:
    """The name on which answers come back; `token` are INBOX_BYTES random bytes."""
    return f"{network}{SEPARATOR}_inbox-{token.hex()}{SEPARATOR}reply"


def is_inbox(topic: str, network: str) -> bool:
    """True for the name of an inbox on a network."""
    if not topic.startswith(network + SEPARATOR):
        return False
    return _INBOX.fullmatch(topic, len(network) + len(SEPARATOR)) is not None


def marked(data: Any, key: str, members: Members) -> Members:
    """A copy of the data with more members in its metadata; data that is no dict stands among them."""
    if not isinstance(data, dict):
        return {key: {**members, DATA: data}}
    metadata = data.get(key)
    return {**data, key: {**metadata, **members} if isinstance(metadata, dict) else members}


def unmarked(data: Members, key: str, marks: tuple[str, ...]) -> Any:
    """The data of a marked event as it was given, with the metadata that it had besides the members `marks`."""
    metadata = data[key]
    if DATA in metadata:
        return metadata[DATA]
    rest = {name: value for name, value in metadata.items() if name not in marks}
    if rest.keys() == {ID}:
        rest = {}
    return {**data, key: rest} if rest else {name: value for name, value in data.items() if name != key}


class Question:
    """A request at the side that answers it; any thread may answer. `data` is for the hooks."""

    def __init__(self, data: Any, send: Callable[[Members], object]):
        self.data = data
        self._send = send

    def answer(self, value: Any) -> None:
        """Send back what a hook returned."""
        try:
            self._send({VALUE: loads(dumps(value))})
        except EventHiveError as error:
            self.fail(f"what the hook returned cannot travel: {error}")

    def fail(self, why: str) -> None:
        """Send back what went wrong."""
        self._send({ERROR: why[:MAX_ERROR]})

    def nobody(self) -> None:
        """Say that no function here hooks the event."""
        self._send({NOBODY: True})


class Pending:
    """A request at the side that waits for its answer."""

    def __init__(self, number: int, topic: str, data: Any, answered: Answered):
        self.number = number
        self.topic = topic
        self.data = data
        self.done = False
        # True once somebody said that it does not hook the event.
        self.unhooked = False
        self._answered = answered

    def settle(self, value: Any, error: "RequestError | None" = None) -> None:
        """Hand over the answer, if it is the first."""
        if not self.done:
            self.done = True
            self._answered(value, error)

    def expire(self, seconds: float) -> None:
        """There was none in time."""
        if self.unhooked:
            self.settle(None, NobodyHooks(f"{self.topic}: nobody who received it hooks it"))
        else:
            self.settle(None, RequestTimeout(f"{self.topic}: no reply within {seconds:g} s"))

    def unsent(self, why: str) -> None:
        """It is not sent at all."""
        self.settle(None, RequestError(f"{self.topic} is not sent: {why}"))

    def nobody(self) -> None:
        """Nobody has received it."""
        self.settle(None, NobodyHooks(f"{self.topic}: nobody on this network hooks it"))


class Timer(Protocol):
    """What `call_later` of a loop returns."""

    def cancel(self) -> None:
        """Do not call."""


class Requests:
    """The requests of one network that wait for answers, in its loop; a participant that takes what comes to `topic`.

    `key` is where metadata stands in a dict, `call_later` as a loop's.
    """

    def __init__(self, network: str, key: str, token: bytes, call_later: Callable[..., Timer]):
        self.topic = inbox(network, token)
        self.key = key
        self._network = network
        self._token = token.hex()
        self._numbers = itertools.count(1)
        self._call_later = call_later
        self._pending: dict[int, tuple[Pending, Timer]] = {}

    def new(self, topic: str, data: Any, answered: Answered) -> Pending:
        """A request that is to be sent; from any thread."""
        return Pending(next(self._numbers), topic, data, answered)

    def mark(self, pending: Pending, data: Any) -> Members:
        """The data of a request as it travels."""
        members: Members = {REQUEST: pending.number, REPLY_TO: self.topic}
        metadata = data.get(self.key) if isinstance(data, dict) else None
        if not isinstance(metadata, dict) or ID not in metadata:
            members[ID] = f"{self._token}-{pending.number}"
        return marked(data, self.key, members)

    def wait(self, pending: Pending, seconds: float) -> None:
        """Begin to wait for the answer."""
        self._pending[pending.number] = pending, self._call_later(seconds, self._expire, pending, seconds)

    def question(self, data: Any, send: Callable[[str, Members], object]) -> Question | None:
        """The request that received data is, or None; `send(topic, members)` sends the answer."""
        if not isinstance(data, dict) or not isinstance(metadata := data.get(self.key), dict):
            return None
        number, reply_to = metadata.get(REQUEST), metadata.get(REPLY_TO)
        if type(number) is not int or not isinstance(reply_to, str) or not is_inbox(reply_to, self._network):
            return None
        sent: str = reply_to
        given = unmarked(data, self.key, (REQUEST, REPLY_TO))
        return Question(given, lambda members: send(sent, {REPLY: number, **members}))

    def own_question(self, pending: Pending, soon: Callable[..., object]) -> Question:
        """The request for participants of this process; `soon` as a loop's `call_soon_threadsafe`."""
        return Question(pending.data, lambda members: soon(self._settle, pending.number, members))

    def deliver(self, topic: str, data: Any) -> None:
        """An answer of somebody else."""
        members = data.get(self.key) if isinstance(data, dict) else None
        if isinstance(members, dict) and isinstance(members.get(REPLY), int):
            self._settle(members[REPLY], members)

    def ask(self, topic: str, question: Question) -> None:
        """Nobody asks an inbox."""
        question.nobody()

    def takes(self, topic: str) -> bool:
        """An inbox has no hooks."""
        return False

    def take(self, topic: str, arrival: object) -> bool:
        """An inbox has no hooks."""
        return False

    def stop(self) -> None:
        """No answer can come any more."""
        for pending, _ in list(self._pending.values()):
            self._end(pending)
            pending.settle(None, RequestError(f"{pending.topic}: this process is stopping"))

    def _settle(self, number: int, members: Members) -> None:
        pending = self._pending[number][0] if number in self._pending else None
        if pending is None:
            return
        if NOBODY in members:
            pending.unhooked = True
            return
        self._end(pending)
        if VALUE in members:
            pending.settle(members[VALUE])
        else:
            pending.settle(None, RemoteError(f"{pending.topic}: {_line(members.get(ERROR))}"))

    def _expire(self, pending: Pending, seconds: float) -> None:
        self._end(pending)
        pending.expire(seconds)

    def _end(self, pending: Pending) -> None:
        _, timer = self._pending.pop(pending.number)
        timer.cancel()


def first_result(results: dict[Any, Any]) -> Any:
    """The answer of several hooks: what the first one returned that returned something."""
    return next((result for result in results.values() if result is not None), None)


def _line(text: object) -> str:
    shown = text if isinstance(text, str) else "failed"
    return "".join([one if one.isprintable() else " " for one in shown[:MAX_ERROR]])


def required(seconds: float) -> float:
    """The seconds a request may take; `LocalError` where they are no positive number."""
    if not seconds > 0:
        raise LocalError(f"timeout: a number of seconds above 0 is needed, not {seconds!r}")
    return seconds
