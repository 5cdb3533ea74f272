"""A table of boards and tests in Markdown, for people and for the page of a CI run."""

from collections.abc import Iterable, Mapping
from pathlib import Path

SIGNS = {"passed": "✓", "failed": "✗", "skipped": "-"}


class Summary:
    """What became of each test on each board."""

    def __init__(self) -> None:
        self._outcomes: dict[str, dict[str, str]] = {}

    def add(self, board: str, test: str, outcome: str) -> None:
        """One outcome of a phase of a test; the worst of them stays."""
        row = self._outcomes.setdefault(test, {})
        if row.get(board) != "failed" and (outcome != "passed" or board not in row):
            row[board] = outcome

    def write(self, path: Path, facts: Mapping[str, Mapping[str, object]]) -> None:
        """Write the table; `facts` say for each board what it is."""
        boards = list(facts)
        lines = []
        for board, those in facts.items():
            lines.append(f"- **{board}**: " + ", ".join(f"{key} {value}" for key, value in those.items()))
        lines += ["", _row(["test", *boards]), _row(["---"] * (len(boards) + 1))]
        for test, row in self._outcomes.items():
            lines.append(_row([f"`{test}`", *(SIGNS.get(row.get(board, ""), "") for board in boards)]))
        path.write_text("\n".join([*lines, "", "✓ passed, ✗ failed, - skipped", ""]), encoding="utf-8")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
