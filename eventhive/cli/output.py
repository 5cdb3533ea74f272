"""What a person reads: lines on stderr and the log, without control characters of whoever is at the other end."""

import json
import logging
import os
import sys


def printable(text: str) -> str:
    r"""The text on one line, with what a terminal would act on written out (`\x1b`)."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def say(text: str) -> None:
    """Write one line to stderr, for a person."""
    print(printable(text), file=sys.stderr)


def log_to_stderr(level: str, form: str = "text") -> None:
    """Write the log to stderr from this level on ("debug", "info", "warning", "error").

    `form`: "text"; "json", one object a line; "journal", each line with its priority; "auto", which is "journal" where
    stderr is the journal, and "text" elsewhere.
    """
    handler = logging.StreamHandler()
    if form == "auto":
        form = "journal" if is_journal(handler.stream.fileno()) else "text"
    handler.setFormatter(_FORMATTERS[form]())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # At "info" it says of each connection that it is open, but not whose.
    logging.getLogger("websockets").setLevel(max(logging.WARNING, logging.getLogger().level))


def is_journal(descriptor: int) -> bool:
    """True where this file is the connection to the journal that JOURNAL_STREAM names."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class _Text(logging.Formatter):
    """Cleans each line; those of a traceback stay lines."""

    FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"

    def __init__(self) -> None:
        super().__init__(self.FORM)

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).split("\n"))


class _Journal(_Text):
    """Begins each line with the priority that syslog has for its level; the journal knows the time."""

    FORM = "%(name)s: %(message)s"

    def format(self, record: logging.LogRecord) -> str:
        priority = next(number for level, number in _PRIORITIES if record.levelno >= level)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).split("\n"))


class _Json(logging.Formatter):
    """One JSON object a line: time in seconds since 1970, level, logger, message, and a traceback, if any."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))
_FORMATTERS: dict[str, type[logging.Formatter]] = {"text": _Text, "journal": _Journal, "json": _Json}
