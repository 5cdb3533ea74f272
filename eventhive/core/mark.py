"""How far one end received the stream of the other; `ring.py` is what that one sends from."""


class Mark:
    """How far a stream was received: `taken` came in order, `confirmed` may be acknowledged, `gaps` were declared."""

    def __init__(self) -> None:
        self.stream = ""
        self.taken = self.confirmed = self.gaps = 0

    def resume(self, stream: str, first: int) -> "Mark":
        """The sender goes on with number `first` of a stream; what it skips over, it has dropped."""
        if stream != self.stream:
            self.stream = stream
            self.taken = self.confirmed = first - 1
        self.gaps += max(0, first - 1 - self.taken)
        self.taken = max(self.taken, first - 1)
        return self
