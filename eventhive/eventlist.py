"""The events of a Python program: the core's list, and what a board would only pay for."""

from collections.abc import Iterator

from .core.registry import EventList


class ProgramEvents(EventList):
    """`name in events` says whether exactly this event is declared; iterating gives the declared names, sorted."""

    def __contains__(self, name: object) -> bool:
        return name in self._hooks

    def __iter__(self) -> Iterator[str]:
        return iter(self.match())
