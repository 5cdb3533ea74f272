"""What the end of each command looks like.

Exit codes: 0 done, 1 failed (one line on stderr says what to do), 2 wrong usage, 130 interrupted.
"""

import os
import sys
from collections.abc import Callable

from ..core.errors import EventHiveError, LocalError
from .output import say

SUCCEEDED = 0
FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


class UsageError(LocalError):
    """The command was not called as its --help says, in a way that its parser cannot see."""


def finish(name: str, run: Callable[[], int]) -> int:
    """Run the command called `name`, say what went wrong, and return the exit code."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except EventHiveError as error:
        say(f"{name}: {error}")
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
