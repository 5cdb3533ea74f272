"""Questions to a person at the terminal: on stderr, so that a report on stdout stays one."""

import getpass
import sys

from ..core.errors import LocalError

_NO_ANSWER = "no answer, so nothing was changed"


def is_somebody_there() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def ask(question: str) -> str:
    """The answer, one line without blanks around it; `LocalError` where the input ends instead."""
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        print(file=sys.stderr)
        raise LocalError(_NO_ANSWER)
    return line.strip()


def ask_secret(question: str) -> str:
    """The answer, which nobody sees as it is typed."""
    try:
        return getpass.getpass(question)
    except EOFError:
        print(file=sys.stderr)
        raise LocalError(_NO_ANSWER) from None
