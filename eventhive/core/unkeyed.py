"""Sessions without a key; loaded only where there is one."""


class Unkeyed:
    """One direction of a session without a key: a record is its text."""

    overhead = 0

    def seal(self, plain: bytes) -> bytes:
        """The text itself."""
        return plain

    def open(self, record: bytes) -> bytes:
        """The text itself."""
        return record
