"""Events with an identity as frames of a network, and the confirmations that come back for them; see `once.py`."""

from collections.abc import Callable, Iterable
from typing import Any

from .classic import Payload, dumps
from .once import ONCE, TAKEN, Answer, Identity, Onlooker, answers_of
from .replies import Question, marked

# An event that is to be passed on with its identity: (name, data, device, stream, number, before, origin).
Identified = tuple[str, Any, str, str, int, int, object]


class IdentifiedPayload(Payload):
    """An event with its identity among its metadata, put together where a carrier asks for it."""

    __slots__ = ("_given", "_identity", "_key")

    def __init__(self, data: Any, key: str, identity: Identity):
        self._data = self._text = self._wire = None
        self._given = data
        self._key = key
        self._identity = identity

    @property
    def data(self) -> Any:
        """The data with the identity."""
        if self._data is None:
            self._data = marked(self._given, self._key, {ONCE: list(self._identity)})
        return self._data

    @property
    def text(self) -> str:
        """The data with the identity, as JSON text."""
        if self._text is None:
            self._text = dumps(self.data)
        return self._text


class Confirmations(Onlooker):
    """The participant that takes the confirmations which come to an inbox."""

    def __init__(self, key: str, confirmed: Callable[[Iterable[Answer]], None]):
        self._key = key
        self._confirmed = confirmed

    def deliver(self, topic: str, data: Any) -> None:
        """Take those of one event; anything else is for somebody else."""
        metadata = data.get(self._key) if isinstance(data, dict) else None
        if isinstance(metadata, dict) and TAKEN in metadata:
            self._confirmed(answers_of(metadata[TAKEN]))

    def ask(self, topic: str, question: Question) -> None:
        """Nobody asks an inbox."""
        question.nobody()
