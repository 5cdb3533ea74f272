"""What only type checkers read: it is left out, line by line, and nothing else is."""

import pytest

from eventhive.core.errors import LocalError
from eventhive.device.hints import without_hints

BLOCK = "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\n\n    from .ring import Outbox\n"


def test_the_block_goes_and_lines_keep_their_numbers() -> None:
    text = '"""A module."""\n\nimport os\n\n' + BLOCK + '\n\ndef f(x: "Any") -> "Outbox":\n    return os.f(x)\n'
    left = without_hints(text, "x.py")
    assert left.splitlines() == ['"""A module."""', "", "import os", *[""] * 8, *text.splitlines()[11:]]


def test_a_module_without_it_stays_as_it_is() -> None:
    text = 'import os\r\n\nif os:\n    x = "TYPE_CHECKING\x0c"\n'
    assert without_hints(text, "x.py") == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("TYPE_CHECKING = True\n", 1),
        (BLOCK + "else:\n    Any = object\n", 2),
        (BLOCK + "def f():\n    return TYPE_CHECKING\n", 7),
        ("def f():\n    if TYPE_CHECKING:\n        pass\n", 2),
    ],
)
def test_other_uses_of_the_name_are_refused(text: str, line: int) -> None:
    with pytest.raises(LocalError, match=f"^x.py:{line}: write 'TYPE_CHECKING = False' and"):
        without_hints(text, "x.py")
