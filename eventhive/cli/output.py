"""What a person reads: lines on stderr and the log, without control characters of whoever is at the other end."""

import logging
import sys


def printable(text: str) -> str:
    r"""The text on one line, with what a terminal would act on written out (`\x1b`)."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def say(text: str) -> None:
    """Write one line to stderr, for a person."""
    print(printable(text), file=sys.stderr)


def log_to_stderr(level: str) -> None:
    """Write the log to stderr from this level on ("debug", "info", "warning", "error")."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # At "info" it says of each connection that it is open, but not whose.
    logging.getLogger("websockets").setLevel(max(logging.WARNING, logging.getLogger().level))


class _Formatter(logging.Formatter):
    """Cleans each line; those of a traceback stay lines."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).split("\n"))
