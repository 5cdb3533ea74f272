"""docs/operations.md names the lines of the log at warning and above as they are in the code: all, and no others.

A line is a call of a logger, or of what passes it on to one (`PASSED_ON`). Its text is found where it is written: in
the call, or in the variable that the call names. A row has a piece of that text, with … for what is filled in.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "eventhive"

# What no gateway runs: commands for a terminal, and what prepares boards.
ELSEWHERE = ("boards", "cli", "device")
ALSO = ("cli/gateway/service.py",)

LEVELS = {"warning", "error", "exception", "critical"}
NAMES = {"WARNING", "ERROR", "CRITICAL"}
# Functions that log a text which they are given, by the rooms where they do: which of their arguments it is.
PASSED_ON = {"gateway/": {"warn": 1}, "roaming.py": {"_say": 0, "note": 0}, "core/gateway_session.py": {"refuse": 1}}

# Texts that another one is put into, and the rows of those.
FILLED = {
    ("roaming.py", "%s: %s"): ["a server announced as", "an older server is announced as"],
    ("secret.py", "%s: %s"): ["replays cannot be recognised for certain"],
    ("scripts.py", "%s: %s: %s: %s"): ["HOOKER_SCRIPTS"],
    ("scripts.py", "%s: there is no module or file '%s'"): ["HOOKER_SCRIPTS"],
    ("eventlist.py", "%s"): ["raised"],
    ("gateway/bridge.py", "%s %s: %s"): ["is unknown, or its key is not the one on file", "with an old boot count"],
    ("gateway/device.py", "device %s: %s (%d so far)"): ["will not reach it:", "commands wait for it already"],
    # At "info".
    ("gateway/serial_link.py", "console lines on %s"): [],
    ("gateway/devices.py", "device %s: %s: %s"): ["outcome unknown, not sent again"],
    ("gateway/spool.py", "%s"): ["is damaged"],
    ("gateway/remembered.py", "%s"): ["is damaged"],
}
# What is only known when it runs, and where the text comes from.
UNKNOWN = {
    ("roaming.py", "str(error)"): "of a look-up: the network is not found, which is told in its turn",
    ("connectors/roaming.py", "state"): "what `note` in roaming.py was given",
}


class Line(NamedTuple):
    """One text that may appear in the log."""

    file: str
    number: int
    text: str


def rows() -> list[str]:
    table = (ROOT / "docs" / "operations.md").read_text().partition("## Logs")[2]
    return re.findall(r"^\| `([^`]+)` \|", table, re.M)


def has(text: str, row: str) -> bool:
    return row in re.sub("%[sdrg]", "…", text)


def sources() -> dict[str, ast.Module]:
    found = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in ELSEWHERE]
    found += [PACKAGE / name for name in ALSO]
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in found}


def given(file: str, call: ast.Call) -> ast.expr | None:
    """The argument of a call that is the text of a line at warning or above; None for any other call."""
    if not isinstance(call.func, (ast.Attribute, ast.Name)):
        return None
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
    if name == "BoundedLog":
        return call.args[1]
    if name in LEVELS and "logger" in ast.unparse(call.func):
        return call.args[0]
    passed = next((names for place, names in PASSED_ON.items() if file.startswith(place)), {})
    if name in passed and isinstance(call.func, ast.Attribute) and len(call.args) > passed[name]:
        return call.args[passed[name]]
    leveled = [number for number, one in enumerate(call.args) if isinstance(one, ast.Attribute) and one.attr in NAMES]
    if leveled and name != "setLevel":
        # A level before its text, or, with a state, behind it.
        behind = call.args[leveled[0] + 1 :]
        return behind[0] if behind else call.args[leveled[0] - 1]
    return None


def texts(expression: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[str | None]:
    """What an expression may be; None where that is only known when it runs."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.JoinedStr):
        yield "".join([str(one.value) if isinstance(one, ast.Constant) else "%s" for one in expression.values])
    elif isinstance(expression, ast.IfExp):
        yield from texts(expression.body, names)
        yield from texts(expression.orelse, names)
    elif isinstance(expression, ast.BinOp):
        yield from texts(expression.left, names)
    elif isinstance(expression, ast.Name) and names.get(expression.id):
        for value in names[expression.id]:
            yield from texts(value, {})
    else:
        yield None


def lines() -> tuple[list[Line], list[Line]]:
    """All texts, and the expressions of those that cannot be told."""
    found, unknown = [], []
    for file, tree in sources().items():
        functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for function in functions:
            names: dict[str, list[ast.expr]] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    names.setdefault(node.targets[0].id, []).append(node.value)
            for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
                expression = given(file, call)
                if expression is None:
                    continue
                for text in texts(expression, names):
                    if text is None:
                        unknown.append(Line(file, call.lineno, ast.unparse(expression)))
                    else:
                        found.append(Line(file, call.lineno, text))
    return found, unknown


def test_each_line_of_the_code_has_a_row() -> None:
    found, unknown = lines()
    table = rows()
    assert len(found) > 60
    wanted = {(one.file, one.text) for one in found if (one.file, one.text) not in FILLED}
    assert [one for one in sorted(wanted) if not any(has(one[1], row) for row in table)] == []
    assert {(one.file, one.text) for one in unknown} <= UNKNOWN.keys()


def test_what_is_filled_in_has_rows_and_is_in_the_code() -> None:
    found = {(one.file, one.text) for one in lines()[0]}
    assert [one for one in FILLED if one not in found] == []
    assert [row for named in FILLED.values() for row in named if row not in rows()] == []


def test_each_row_is_a_line_of_the_code() -> None:
    # Pieces of texts that are made elsewhere: of strangers, of damage, of variables.
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    texts_ = [one.text for one in lines()[0]]
    assert [row for row in rows() if row not in code and not any(has(text, row) for text in texts_)] == []


def test_the_metrics_of_the_table_are_there() -> None:
    table = (ROOT / "docs" / "operations.md").read_text().partition("## Metrics")[2].partition("## Status")[0]
    named = {name.removesuffix("_bucket") for name in re.findall(r"eventhive_\w+", table)}
    code = (PACKAGE / "page" / "metrics.py").read_text()
    assert len(named) > 8
    assert [name for name in sorted(named) if f'"{name}"' not in code] == []


def test_no_row_is_there_twice() -> None:
    table = rows()
    assert sorted(set(table)) == sorted(table)
