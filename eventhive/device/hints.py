"""Leaving out what only type checkers read, before anything else is done with a module.

Names that only annotations need stand in one block of a device module, directly after its imports:

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from .ring import Outbox

No interpreter runs it, but a board would keep the name and the code. Any other use of the name is an error.
"""

import ast

from ..core.errors import LocalError

FLAG = "TYPE_CHECKING"


def without_hints(text: str, shown: str) -> str:
    """The source without that block; its lines are left empty, so that the others keep their numbers."""
    lines = text.split("\n")
    for node in ast.parse(text, shown).body:
        if ast.unparse(node) == f"{FLAG} = False" or is_hints(node):
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [""] * (end - node.lineno + 1)
    rest = "\n".join(lines)
    for found in ast.walk(ast.parse(rest, shown)):
        if isinstance(found, ast.Name) and found.id == FLAG:
            what = f"write '{FLAG} = False' and 'if {FLAG}:', without 'else', at the top level"
            raise LocalError(f"{shown}:{found.lineno}: {what}")
    return rest


def is_hints(node: ast.AST) -> bool:
    """True for such a block."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == FLAG and not node.orelse
