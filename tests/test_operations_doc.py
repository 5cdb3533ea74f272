"""docs/operations.md names lines of the log as they are in the code."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_lines_of_the_log_are_in_the_code() -> None:
    rows = (ROOT / "docs" / "operations.md").read_text().partition("## Logs")[2]
    lines = re.findall(r"^\| `([^`]+)` \|", rows, re.M)
    code = "\n".join(path.read_text() for path in (ROOT / "eventhive").rglob("*.py"))
    assert len(lines) > 15
    assert [line for line in lines if line not in code] == []
