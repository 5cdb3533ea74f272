"""Giving private names, and those of parameters, names that cost nothing or little; the second step of squeezing.

What it relies on, and refuses to be without: a private attribute is used on `self`, or on a class of the same family,
and nowhere spelt in a string; a private name is imported by nobody.

Functions become `p0`, `p1`, …, the same few in every class: they are what a traceback shows. Attributes and parameters,
which it does not, become words that are in every firmware; a parameter keeps its name where programs may call by it.
"""

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Iterator

from ..core.errors import LocalError

_SHORT = re.compile(r"p\d+")

# Of the strings that .mpy files name by number (`static_qstr_list` in py/makeqstrdata.py of MicroPython), those that
# are no names of built-ins.
WORDS = [
    "append",
    "args",
    "clear",
    "close",
    "copy",
    "count",
    "end",
    "extend",
    "find",
    "format",
    "get",
    "index",
    "insert",
    "items",
    "join",
    "key",
    "keys",
    "lower",
    "pop",
    "read",
    "remove",
    "replace",
    "reverse",
    "send",
    "sep",
    "setdefault",
    "sort",
    "split",
    "start",
    "step",
    "stop",
    "strip",
    "throw",
    "update",
    "upper",
    "value",
    "values",
    "write",
]

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def shorten(module: str, tree: ast.Module, keywords: "Collection[str] | None") -> None:
    """Rename in place; `LocalError` names module and line of what stands in the way.

    `keywords` are the names that calls within the tree use for parameters; with None, public functions keep them all.
    """
    _check_names(module, tree)
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    families: dict[str, dict[str, str]] = {}
    # As it is before: classes may share what they are given.
    taken = _attributes(tree)
    for name, found in classes.items():
        families[name] = next((families[base] for base in _bases(found) if base in families), {})
        if all(base in classes or hasattr(builtins, base) for base in _bases(found)):
            _shorten_attributes(module, found, families[name], classes, taken)
    outside = ast.Module([node for node in tree.body if not isinstance(node, ast.ClassDef)], [])
    for node in ast.walk(outside):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            raise LocalError(f"{module}:{node.lineno}: cannot be squeezed: '{node.attr}' is used outside its class")
    _shorten_globals(tree)
    for function in _functions(tree):
        if keywords is not None or _is_short(function):
            _shorten_parameters(function, keywords or ())


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.id if isinstance(base, ast.Name) else ast.unparse(base) for base in node.bases]


def _shorten_attributes(
    module: str, node: ast.ClassDef, short: dict[str, str], classes: Iterable[str], taken: Collection[str]
) -> None:
    for method in node.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_private(method.name):
            method.name = short.setdefault(method.name, _next_short(short))
    words = (word for word in WORDS if word not in taken and word not in short.values())
    for found in ast.walk(node):
        if isinstance(found, ast.Attribute) and _is_private(found.attr):
            if not isinstance(found.value, ast.Name) or found.value.id not in ("self", *classes):
                raise LocalError(f"{module}:{found.lineno}: cannot be squeezed: '{found.attr}' is not used on self")
            if found.attr not in short:
                short[found.attr] = next(words, _next_short(short))
            found.attr = short[found.attr]


def _next_short(short: dict[str, str]) -> str:
    return f"p{sum(map(bool, map(_SHORT.fullmatch, short.values())))}"


def _attributes(tree: ast.Module) -> set[str]:
    """The names of all attributes and methods, whatever they belong to."""
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found | {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def _functions(node: ast.AST) -> Iterator[_Function]:
    """All functions, outer ones first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield child
        yield from _functions(child)


def _is_short(function: _Function) -> bool:
    return isinstance(function, ast.Lambda) or _SHORT.fullmatch(function.name) is not None


def _shorten_parameters(function: _Function, keywords: Collection[str]) -> None:
    parts = [function.body] if isinstance(function, ast.Lambda) else function.body
    inside = [node for part in parts for node in ast.walk(part)]
    parameters = [*function.args.posonlyargs, *function.args.args]
    used = {name for node in [*inside, *parameters] for name in _variables(node)}
    words = (word for word in WORDS if word not in used)
    # `self` is in every firmware already.
    short = {node.arg: next(words, node.arg) for node in parameters if node.arg not in (*keywords, "self")}
    for node in [*inside, *parameters]:
        for field in ("id", "arg", "name"):
            if not isinstance(node, (ast.keyword, ast.alias)) and getattr(node, field, None) in short:
                setattr(node, field, short[getattr(node, field)])
        if isinstance(node, ast.alias) and (node.asname or node.name) in short:
            node.asname = short[node.asname or node.name]
        if isinstance(node, ast.Nonlocal):
            node.names = [short.get(name, name) for name in node.names]


def _variables(node: ast.AST) -> list[str]:
    found = (getattr(node, field, None) for field in ("id", "arg", "name", "asname"))
    return [name for name in found if isinstance(name, str)]


def _shorten_globals(tree: ast.Module) -> None:
    short: dict[str, str] = {}
    for node in tree.body:
        for name in _defined_by(node):
            if _is_private(name):
                short.setdefault(name, f"p{len(short)}")
    methods = {part for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for part in node.body}
    for found in ast.walk(tree):
        for field in ("id", "arg", "name"):
            if getattr(found, field, None) in short and found not in methods:
                setattr(found, field, short[getattr(found, field)])
        if isinstance(found, ast.Global):
            found.names = [short.get(name, name) for name in found.names]


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


def _is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and name.strip("_") != "" and not name.startswith("__")
