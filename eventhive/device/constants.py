"""Putting integer constants in where they are used; the first step of squeezing.

A constant is a capitalised top-level name that is given an integer once and nothing else ever.
"""

import ast
from collections.abc import Mapping

from ..core.errors import LocalError

# Larger numbers are objects on a board, and dearer in several places than in one.
MAX_INLINE = 1 << 30


def constants_of(tree: ast.Module) -> dict[str, int]:
    """The constants that a module defines."""
    found: dict[str, int] = {}
    bound = _bound_names(tree)
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            value = _integer(node.value, found)
            if name.isupper() and bound.count(name) == 1 and value is not None and abs(value) < MAX_INLINE:
                found[name] = value
    return found


def _bound_names(tree: ast.AST) -> list[str]:
    bound: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.append(node.id)
        elif isinstance(node, ast.arg):
            bound.append(node.arg)
        elif isinstance(node, ast.Global):
            bound += node.names
    return bound


def _integer(node: ast.expr, known: Mapping[str, int]) -> int | None:
    """The value of an expression of integers and known constants, None for any other."""
    allowed = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Load)
    for part in ast.walk(node):
        number = isinstance(part, ast.Constant) and type(part.value) is int
        if not (number or isinstance(part, allowed) or (isinstance(part, ast.Name) and part.id in known)):
            return None
    # Nothing but integers and operators is in it.
    value = eval(compile(ast.Expression(node), "constant", "eval"), {"__builtins__": {}}, dict(known))  # noqa: S307
    return value if type(value) is int else None


class Inliner(ast.NodeTransformer):
    """Puts the constants of a module, and those it imports, where they are used."""

    def __init__(self, module: str, constants: Mapping[str, Mapping[str, int]]):
        self._module = module
        self._constants = constants
        self._values = dict(constants[module])

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Learn which constants are imported."""
        for found in ast.walk(node):
            if isinstance(found, ast.ImportFrom):
                known = self._constants.get(found.module or "", {})
                self._values.update({a.asname or a.name: known[a.name] for a in found.names if a.name in known})
        imported = set(self._values) - set(self._constants[self._module])
        rebound = sorted(imported.intersection(_bound_names(node)))
        if rebound:
            raise LocalError(f"{self._module}: '{rebound[0]}' is imported and also a variable; rename one")
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """Leave constants out."""
        known = self._constants.get(node.module or "", {})
        node.names = [alias for alias in node.names if alias.name not in known]
        return node if node.names else ast.Pass()

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        """Drop a definition that nobody needs any more."""
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in self._constants[self._module]:
            return None
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put the value in."""
        if node.id not in self._values or not isinstance(node.ctx, ast.Load):
            return node
        value = self._values[node.id]
        return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))
