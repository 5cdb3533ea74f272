"""Merging device modules into one: on a board every module costs heap of its own, a quarter of the whole package.

Rules for the modules of one bundle; an error names file and line where one is broken:
1. They import from each other by `from .x import name` (or the same with `eventhive.…` written out), without `as`.
2. No two of them define the same top-level name, `_private` ones included, and none that of a built-in function or of
   a module that stays beside the bundle.
Imports between merged modules disappear, those of other modules move to the top, the rest stays as it is.
"""

import ast
import builtins
import symtable
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..core.errors import LocalError

ROOT = "eventhive"


@dataclass(frozen=True)
class Module:
    """A source module: its full name, its text, whether it is the `__init__` of a package, and its name in messages."""

    name: str
    text: str
    is_package: bool
    shown: str

    @property
    def package(self) -> str:
        """The package that its relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


def rewrite(module: Module, homes: Mapping[str, str]) -> ast.Module:
    """The code of a module that stays alone, importing from bundles what moved there.

    `homes` maps the full name of each module that was merged to the full name of its bundle.
    """
    return _Rewriter(module, homes, "", {}).tree


def merge(bundle: str, modules: Iterable[Module], homes: Mapping[str, str], beside: Iterable[str] = ()) -> ast.Module:
    """The code of the module `bundle` that holds these modules; `beside` are the names of its submodules that stay."""
    parts = {module.name: module for module in modules}
    defined = {name: definitions(module) for name, module in parts.items()}
    edited = {name: _Rewriter(module, homes, bundle, defined) for name, module in parts.items()}
    _check_collisions(bundle, defined, edited, beside)
    order = _ordered({name: sorted(edit.needs) for name, edit in edited.items()}, list(parts))
    lines = sorted({line for edit in edited.values() for line in edit.hoisted})
    body = ast.parse("\n".join(lines)).body
    for name in order:
        body += edited[name].tree.body
    return ast.Module(body, [])


class _Rewriter(ast.NodeTransformer):
    """Changes the imports of one module; `home` is the bundle it is merged into, or empty.

    Afterwards: `tree`, `hoisted` import lines, `needs` (the siblings that have to come first), and `origins`, which
    tells where the names are from that it imports at top level.
    """

    def __init__(self, module: Module, homes: Mapping[str, str], home: str, defined: Mapping[str, set[str]]):
        self.hoisted: list[str] = []
        self.needs: set[str] = set()
        self.origins: dict[str, str] = {}
        self._module = module
        self._homes = homes
        self._home = home
        self._defined = defined
        tree = ast.parse(module.text, module.shown)
        self._top = set(tree.body)
        self.tree: ast.Module = self.visit(tree)

    def visit_Import(self, node: ast.Import) -> ast.stmt | None:
        """An import of whole modules: only of those that are not ours."""
        for alias in node.names:
            if alias.name.partition(".")[0] == ROOT:
                raise self._fault(node, f"write 'from {ROOT}.x import name' instead")
        return self._place(node, {alias.asname or alias.name: ast.Import([alias]) for alias in node.names})

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        """An import of names: from a sibling, another device module (then by its full name), or something else."""
        target = self._target(node)
        home = self._homes.get(target, target)
        if node.module and home == self._home:
            self._check_siblings(node, target)
            if node not in self._top:
                return ast.Pass()
            self.origins.update({alias.name: target for alias in node.names})
            self.needs.add(target)
            return None
        node.module, node.level = home, 0
        single = {alias.asname or alias.name: ast.ImportFrom(home, [alias], 0) for alias in node.names}
        return self._place(node, single)

    def _place(self, node: ast.Import | ast.ImportFrom, by_name: Mapping[str, ast.stmt]) -> ast.stmt | None:
        if not self._home or node not in self._top:
            return node
        lines = {name: ast.unparse(one) for name, one in by_name.items()}
        self.hoisted += lines.values()
        self.origins.update({name: f"'{line}'" for name, line in lines.items()})
        return None

    def _target(self, node: ast.ImportFrom) -> str:
        """The full name of the module that is imported from."""
        if node.level > 1:
            raise self._fault(node, "device modules import from their own package, or from eventhive.core by name")
        if node.level == 0:
            return node.module or ""
        package = self._module.package
        if node.module:
            return f"{package}.{node.module}"
        for alias in node.names:
            if f"{package}.{alias.name}" in self._homes:
                raise self._fault(node, f"'{alias.name}' is in a bundle: write 'from .{alias.name} import name'")
        return package

    def _check_siblings(self, node: ast.ImportFrom, target: str) -> None:
        for alias in node.names:
            if alias.asname:
                raise self._fault(node, f"no 'as' here: {target} is in the same bundle")
            if alias.name not in self._defined[target]:
                raise self._fault(node, f"{target} does not define '{alias.name}': check the name")

    def _fault(self, node: ast.stmt, what: str) -> LocalError:
        return LocalError(f"{self._module.shown}:{node.lineno}: cannot be bundled: {what}")


def definitions(module: Module) -> set[str]:
    """The names that the module gives a value at its top level, imported ones included."""
    symbols = symtable.symtable(module.text, module.shown, "exec").get_symbols()
    return {found.get_name() for found in symbols if found.is_assigned() or found.is_imported()}


def _check_collisions(
    bundle: str, defined: Mapping[str, set[str]], edited: Mapping[str, _Rewriter], beside: Iterable[str]
) -> None:
    owners = dict.fromkeys(dir(builtins), "a built-in")
    owners.update({name: f"the module {bundle}.{name} beside the bundle" for name in beside})
    for part, names in defined.items():
        for name in sorted(names):
            origin = _origin(edited, part, name)
            known = owners.setdefault(name, origin)
            if known != origin:
                raise LocalError(f"{bundle} cannot be bundled: '{name}' is in {known} and in {origin}; rename one")


def _origin(edited: Mapping[str, _Rewriter], part: str, name: str) -> str:
    """What the name stands for: the merged module that defines it, or the import of something else."""
    while name in edited[part].origins:
        origin = edited[part].origins[name]
        if origin not in edited:
            return origin
        part = origin
    return part


def _ordered(needs: Mapping[str, list[str]], names: list[str]) -> list[str]:
    """The names, each after what it needs, otherwise in the given order."""
    order: list[str] = []
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in under_way:
            raise LocalError(f"modules import each other in a circle: {' -> '.join([*under_way, name])}")
        if name not in order:
            under_way.append(name)
            for needed in needs[name]:
                visit(needed)
            order.append(under_way.pop())

    for name in names:
        visit(name)
    return order
