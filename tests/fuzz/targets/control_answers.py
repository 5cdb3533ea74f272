"""Answers on the control socket, as the commands read them: `gateway/control.py`."""

from cutting import DEEP
from oracle import require

from eventhive.core.errors import LocalError
from eventhive.gateway.control import read_answer

PORTABLE = False
STREAM = False
LONGEST = 200
SHARE = 100
ERRORS = (LocalError,)


def feed(pieces, seen):
    answer = read_answer("x.sock", pieces[0])
    require(type(answer) is dict and "ok" not in answer, f"no answer: {answer!r}")
    seen.append(sorted(answer))


def seeds():
    return {
        "ok": b'{"ok":true,"devices":[]}\n',
        "error": b'{"ok":false,"error":"unknown command"}\n',
        "error-without-text": b'{"ok":false}\n',
        "no-object": b"[]",
        "gone": b"",
        "deep": DEEP,
    }
