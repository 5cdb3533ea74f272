"""The lean wire between two of ours: many events in one text frame; docs/hive-wire.md has it in full.

Rules of this file:
1. It is agreed on as a websocket subprotocol, so that who does not know it never sees it. All that is no event is said
   as in `classic.py`, whose messages begin with "{".
2. No I/O. What a peer sends gives a value or `PeerError`, never anything else.
3. A frame is a list of lines: data of an event never holds a line feed, and never begins as a topic does.
"""

from collections.abc import Iterable, Iterator

from .classic import MAX_TOPIC_BYTES, Payload
from .core.errors import PeerError

SUBPROTOCOL = "eventhive.lean.1"

# How the frames of events and of confirmations begin.
TOPIC = "@"
TAKEN = "+"

# Characters of a frame with more than one event: the other end starts to work on it while the next one is made. More
# gains nothing, and with a longer one, a frame with the longest event would be more than a server takes.
FRAME_CHARACTERS = 16 * 1024

# What takes the place of text that cannot be JSON and would be read as something else; receivers report it as no JSON.
NO_JSON = "\ufffd"


class Batch:
    """Events for one frame."""

    __slots__ = ("_lines", "_topic", "size")

    def __init__(self) -> None:
        self.size = 0
        self._lines: list[str] = []
        self._topic = ""

    def fits(self, payload: Payload) -> bool:
        """False when this event should go into another frame."""
        return not self._lines or self.size + len(payload.text) <= FRAME_CHARACTERS

    def add(self, topic: str, payload: Payload) -> None:
        """Append an event."""
        if topic != self._topic:
            self._topic = topic
            self._lines.append(TOPIC + topic)
            self.size += len(topic)
        line = _line(payload.text)
        self._lines.append(line)
        self.size += len(line)

    def take(self) -> bytes:
        """The frame, empty where there are no events; the batch is empty afterwards."""
        frame = "\n".join(self._lines).encode(errors="replace")
        self._lines.clear()
        self._topic = ""
        self.size = 0
        return frame


def _line(text: str) -> str:
    if not text or text[0] == TOPIC:
        return NO_JSON
    # JSON has line feeds only between its values, where a blank means the same.
    return text.replace("\n", " ") if "\n" in text else text


def events(frame: str) -> Iterator[tuple[str, Payload]]:
    """The topics and data of a frame that begins with `TOPIC`; raises `PeerError`."""
    topic = ""
    for line in frame.split("\n"):
        if line[:1] == TOPIC:
            topic = line[1:]
            if not 0 < len(topic) <= MAX_TOPIC_BYTES:
                raise PeerError(f"a topic has 1 to {MAX_TOPIC_BYTES} characters")
        else:
            yield topic, Payload(text=line)


def taken(count: int, unheard: Iterable[int] = ()) -> bytes:
    """The confirmation of the first `count` events of a connection.

    `unheard`: the numbers, from 1, in order, of those since the last confirmation that have reached no subscriber.
    """
    return " ".join([f"{TAKEN}{count}", *_spans(unheard)]).encode("ascii")


def _spans(numbers: Iterable[int]) -> Iterator[str]:
    first = last = 0
    for number in numbers:
        if first and number == last + 1:
            last = number
            continue
        if first:
            yield f"{first}-{last}"
        first = last = number
    if first:
        yield f"{first}-{last}"


def read_taken(frame: str, before: int, sent: int) -> tuple[int, set[int]]:
    """What a frame that begins with `TAKEN` says: the count, and the numbers of events that reached nobody.

    `before` events were confirmed already, and `sent` were sent in all. Raises `PeerError`.
    """
    words = frame[len(TAKEN) :].split(" ")
    count = _number(words[0], before, sent)
    unheard: set[int] = set()
    last = before
    for word in words[1:]:
        start, _, end = word.partition("-")
        first = _number(start, last + 1, count)
        last = _number(end, first, count)
        unheard.update(range(first, last + 1))
    return count, unheard


def _number(word: str, low: int, high: int) -> int:
    # Longer digits than any number of events: not even looked at, as reading them takes quadratic time.
    if not (word.isascii() and word.isdigit() and len(word) <= 20 and low <= int(word) <= high):
        raise PeerError(f"a confirmation of {word[:20]!r}, where {low} to {high} is possible")
    return int(word)
