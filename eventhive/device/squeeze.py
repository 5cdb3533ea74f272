"""Making compiled device code keep less heap, without changing what it does; works on all files of a tree at once.

1. Constants: a capitalised top-level integer, assigned once, is put in where it is used, since a global costs 45 bytes,
   and is gone.
2. Names: those of `_private` attributes and globals, and of parameters, become others that cost less, the same few in
   every class: an interned name costs 20 bytes or more, and each doubling of their number a table. So a device module
   uses a private attribute only on `self` (or on its base class), never spells it in a string, never imports a private
   name.
3. Texts: a longer string inside a function moves to a file beside the code and is read when it is shown: the messages
   of all errors together would take half as much heap as the code.
A module that breaks a rule is an error that names it.
"""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .constants import Inliner, constants_of
from .names import shorten
from .texts import TEXTS_MODULE, Texts


@dataclass(frozen=True)
class Squeezed:
    """The tree after it: code by module, the file of texts, and the constants that were put in, by module."""

    code: dict[str, str]
    texts: bytes
    constants: dict[str, dict[str, int]]


def squeeze(modules: Mapping[str, ast.Module], public: Collection[str]) -> Squeezed:
    """Change the modules of a tree, given by full name, in place; imports among them must be absolute.

    `public` are those whose functions programs call, and may call by the names of parameters.
    """
    constants = {name: constants_of(tree) for name, tree in modules.items()}
    calls = [node for tree in modules.values() for node in ast.walk(tree) if isinstance(node, ast.keyword)]
    keywords = {node.arg for node in calls if node.arg is not None}
    texts = Texts()
    for name, tree in modules.items():
        Inliner(name, constants).visit(tree)
        shorten(name, tree, None if name in public else keywords)
        texts.move(tree, name == TEXTS_MODULE)
    code = {name: ast.unparse(ast.fix_missing_locations(tree)) + "\n" for name, tree in modules.items()}
    return Squeezed(code, bytes(texts.file), constants)
