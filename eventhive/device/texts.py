"""Moving texts out of the code into one file, to be read when they are shown; the third step of squeezing.

A text is a string of some length with a space in it, in a function. `"…" % values` moves as a whole.
"""

import ast
from typing import Any

# The module that gets the reader of texts; every other one imports it from there.
TEXTS_MODULE = "eventhive.core"
TEXTS_FILE = "eventhive/core/texts"

# Up to about here, a string is not much larger than what reads it.
MIN_TEXT_CHARS = 16

_READER = '''
def text_at(at, *values):
    try:
        with open(__file__.rsplit("/", 1)[0] + "/texts", "rb") as file:
            file.seek(at)
            text = str(file.readline()[:-1], "utf-8")
    except OSError:
        return "text %d %s" % (at, values)
    return text % values[0] if values else text
'''


class Texts(ast.NodeTransformer):
    """Moves texts into `file`, and puts in their place calls of the reader, with the position in the file."""

    def __init__(self) -> None:
        self.file = bytearray()
        self._at: dict[str, int] = {}
        self._depth = 0
        self._used = False

    def move(self, tree: ast.Module, is_home: bool) -> None:
        """Move the texts of one module; the home of the reader gets it in any case."""
        self._used = False
        self.visit(tree)
        if is_home:
            tree.body[:0] = ast.parse(_READER).body
        elif self._used:
            tree.body[:0] = ast.parse(f"from {TEXTS_MODULE} import text_at").body

    def visit_FunctionDef(self, node: Any) -> Any:
        """Look into the body only: annotations are strings too."""
        self._depth += 1
        node.body = [self.visit(part) for part in node.body]
        self._depth -= 1
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is what ast looks for

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        """Look into the value only."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Leave formatted strings as they are."""
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        """Leave docstrings; the compiler drops them."""
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)  # type: ignore[return-value]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Move a text together with its "%"."""
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and self._is_text(node.left.value):
            return self._call(node.left.value, [self.visit(node.right)])
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Move a text that stands alone."""
        return self._call(node.value, []) if self._is_text(node.value) else node

    def _is_text(self, value: object) -> bool:
        if self._depth == 0 or not isinstance(value, str):
            return False
        # Without a space it is a word for the program, such as the name of a module.
        return len(value) > MIN_TEXT_CHARS and value.isprintable() and " " in value

    def _call(self, text: Any, values: list[ast.expr]) -> ast.Call:
        self._used = True
        if text not in self._at:
            self._at[text] = len(self.file)
            self.file += text.encode() + b"\n"
        return ast.Call(ast.Name("text_at", ast.Load()), [ast.Constant(self._at[text]), *values], [])
