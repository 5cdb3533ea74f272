"""Making compiled device code keep less heap, without changing what it does; works on all files of a tree at once.

1. Constants: a capitalised top-level integer, assigned once, is put in where it is used, since a global costs 45 bytes;
   it is gone from bundles, and elsewhere where it is private.
2. Names: `_private` attributes and globals become `p0`, `p1`, …, the same few in every class: an interned name costs
   20 bytes or more, and each doubling of their number a table. So a device module uses a private attribute only on
   `self` (or on its base class), never spells it in a string, never imports a private name.
3. Texts: a longer string inside a function moves to a file beside the code and is read when it is shown: the messages
   of all errors together would take half as much heap as the code.
A module that breaks a rule is an error that names it.
"""

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import LocalError

# The module that gets the reader of texts; every other one imports it from there.
TEXTS_MODULE = "eventhive.core"
TEXTS_FILE = "eventhive/core/texts"

# Up to about here, a string is not much larger than what reads it.
MIN_TEXT_CHARS = 16

# Larger numbers are objects on a board, and dearer in several places than in one.
MAX_INLINE = 1 << 30

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

_SHORT = re.compile(r"p\d+")


@dataclass(frozen=True)
class Squeezed:
    """The tree after it: code by module, the file of texts, and the constants that were put in, by module."""

    code: dict[str, str]
    texts: bytes
    constants: dict[str, dict[str, int]]


def squeeze(modules: Mapping[str, ast.Module], bundles: Collection[str]) -> Squeezed:
    """Change the modules of a tree, given by full name, in place; imports among them must be absolute.

    `bundles` are those whose constants nothing outside the tree uses.
    """
    constants = {name: _constants(tree) for name, tree in modules.items()}
    texts = _Texts()
    for name, tree in modules.items():
        _Inliner(name, constants, name in bundles).visit(tree)
        _shorten(name, tree)
        texts.move(tree, name == TEXTS_MODULE)
    code = {name: ast.unparse(ast.fix_missing_locations(tree)) + "\n" for name, tree in modules.items()}
    return Squeezed(code, bytes(texts.file), constants)


# Constants


def _constants(tree: ast.Module) -> dict[str, int]:
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


class _Inliner(ast.NodeTransformer):
    """Puts the constants of a module, and those it imports, where they are used."""

    def __init__(self, module: str, constants: Mapping[str, Mapping[str, int]], is_bundle: bool):
        self._module = module
        self._constants = constants
        self._is_bundle = is_bundle
        self._values = dict(constants[module])

    def visit_Module(self, node: ast.Module) -> ast.AST:
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
        known = self._constants.get(node.module or "", {})
        node.names = [alias for alias in node.names if alias.name not in known]
        return node if node.names else ast.Pass()

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        target = node.targets[0]
        known = isinstance(target, ast.Name) and target.id in self._constants[self._module]
        if known and (self._is_bundle or _is_private(target.id)):  # type: ignore[attr-defined]
            return None
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._values or not isinstance(node.ctx, ast.Load):
            return node
        value = self._values[node.id]
        return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


# Names


def _is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and name.strip("_") != "" and not name.startswith("__")


def _shorten(module: str, tree: ast.Module) -> None:
    _check_names(module, tree)
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    families: dict[str, dict[str, str]] = {}
    for name, found in classes.items():
        families[name] = next((families[base] for base in _bases(found) if base in families), {})
        if all(base in classes or hasattr(builtins, base) for base in _bases(found)):
            _shorten_attributes(module, found, families[name], classes)
    outside = ast.Module([node for node in tree.body if not isinstance(node, ast.ClassDef)], [])
    for node in ast.walk(outside):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            raise LocalError(f"{module}:{node.lineno}: cannot be squeezed: '{node.attr}' is used outside its class")
    _shorten_globals(tree)


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.id if isinstance(base, ast.Name) else ast.unparse(base) for base in node.bases]


def _shorten_attributes(module: str, node: ast.ClassDef, short: dict[str, str], classes: Iterable[str]) -> None:
    for found in ast.walk(node):
        if isinstance(found, ast.Attribute) and _is_private(found.attr):
            if not isinstance(found.value, ast.Name) or found.value.id not in ("self", *classes):
                raise LocalError(f"{module}:{found.lineno}: cannot be squeezed: '{found.attr}' is not used on self")
            found.attr = short.setdefault(found.attr, f"p{len(short)}")
    for method in node.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_private(method.name):
            method.name = short.setdefault(method.name, f"p{len(short)}")


def _shorten_globals(tree: ast.Module) -> None:
    short: dict[str, str] = {}
    for node in tree.body:
        for name in _defined_by(node):
            if _is_private(name):
                short.setdefault(name, f"p{len(short)}")
    for found in ast.walk(tree):
        for field in ("id", "arg"):
            if getattr(found, field, None) in short:
                setattr(found, field, short[getattr(found, field)])
        if isinstance(found, ast.Global):
            found.names = [short.get(name, name) for name in found.names]
        if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.name = short.get(found.name, found.name)


def _defined_by(node: ast.stmt) -> Iterable[str]:
    """The names that a top-level statement gives a value, also inside `if` and `try`."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif isinstance(child, (ast.stmt, ast.ExceptHandler, ast.Tuple)):
            yield from _defined_by(child)  # type: ignore[arg-type]


def _check_names(module: str, tree: ast.Module) -> None:
    privates = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_private(node.attr)}
    for node in ast.walk(tree):
        what = ""
        if isinstance(node, ast.Constant) and node.value in privates:
            what = f"the private name {node.value!r} in a string"
        elif isinstance(node, ast.alias) and _is_private(node.name):
            what = f"import of the private name '{node.name}'"
        elif any(_SHORT.fullmatch(name) for name in _identifiers(node)):
            what = "a name like 'p0'"
        elif isinstance(node, ast.ClassDef) and any(_is_private(name) for part in node.body for name in _values(part)):
            what = f"a private attribute in the body of class {node.name}"
        if what:
            raise LocalError(f"{module}:{getattr(node, 'lineno', 0)}: cannot be squeezed: {what}")


def _identifiers(node: ast.AST) -> list[str]:
    found = (getattr(node, field, None) for field in ("id", "attr", "arg", "name", "asname"))
    return [name for name in found if isinstance(name, str)]


def _values(node: ast.stmt) -> list[str]:
    return [] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else list(_defined_by(node))


# Texts


class _Texts(ast.NodeTransformer):
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
        # Only the body: annotations are strings too.
        self._depth += 1
        node.body = [self.visit(part) for part in node.body]
        self._depth -= 1
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is what ast looks for

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)  # type: ignore[return-value]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and self._is_text(node.left.value):
            return self._call(node.left.value, [self.visit(node.right)])
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
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
