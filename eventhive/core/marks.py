"""The marks of all streams that a gateway knows of one device."""

from .mark import Mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# A device may come back to a stream after it began another; each stays known until this many newer ones were begun.
MARKS_KEPT = 4


class Marks:
    """The marks of the streams of one sender; `last` is that of the stream which is being received."""

    def __init__(self) -> None:
        self.last: "Mark | None" = None
        self._marks: "list[Mark]" = []

    def __iter__(self) -> "Iterator[Mark]":
        return iter(self._marks)

    def restore(self, stream: str, number: int) -> None:
        """A stream of which all up to `number` was received, as a gateway before this one knew."""
        mark = Mark()
        mark.stream, mark.taken, mark.confirmed = stream, number, number
        self._marks = self._marks[1 - MARKS_KEPT :] + [mark]

    def find(self, stream: str) -> "Mark | None":
        """The mark of a stream that is still known."""
        for mark in self._marks:
            if mark.stream == stream:
                return mark
        return None

    def resume(self, stream: str, first: int) -> Mark:
        """As `Mark.resume`, for whichever stream it is."""
        mark = self.find(stream)
        if mark is None:
            mark = Mark()
        else:
            self._marks.remove(mark)
        self._marks = self._marks[1 - MARKS_KEPT :] + [mark]
        self.last = mark.resume(stream, first)
        return mark
