"""The marks of all streams that a gateway knows of one device."""

from .mark import Mark

# A device may come back to a stream after it began another; each stays known until this many newer ones were begun.
MARKS_KEPT = 4


class Marks:
    """The marks of the streams of one sender; `last` is that of the stream which is being received."""

    def __init__(self) -> None:
        self.last: "Mark | None" = None
        self._marks: "list[Mark]" = []

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
