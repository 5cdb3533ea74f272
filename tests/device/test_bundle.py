"""Merging modules: what becomes of imports, and which sources are refused."""

import ast
import re

import pytest

from eventhive.core.errors import LocalError
from eventhive.device.bundle import Module, merge, rewrite

HOMES = {"eventhive.core": "eventhive.core", "eventhive.core.a": "eventhive.core", "eventhive.core.b": "eventhive.core"}


def module(name: str, text: str) -> Module:
    full = f"eventhive.core.{name}" if name else "eventhive.core"
    return Module(full, text, not name, f"{name or '__init__'}.py")


def merged(a: str, b: str, beside: tuple[str, ...] = ()) -> str:
    modules = [module("", '"""The core."""'), module("a", a), module("b", b)]
    return ast.unparse(merge("eventhive.core", modules, HOMES, beside))


def run(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(text, names)
    return names


def test_imports_between_merged_modules_disappear() -> None:
    text = merged("from .b import two\nfour = two + two", "two = 2")
    assert "import" not in text
    assert run(text)["four"] == 4


def test_what_is_needed_comes_first() -> None:
    text = merged("from .b import Base\nclass Child(Base): pass", "class Base: pass")
    assert text.index("class Base") < text.index("class Child")


def test_other_imports_come_once_at_the_top() -> None:
    text = merged("import os\nfrom json import dumps", "import os\nfrom json import dumps, loads")
    lines = text.splitlines()
    assert sorted(lines[:3]) == ["from json import dumps", "from json import loads", "import os"]
    assert text.count("import") == 3


def test_the_same_sources_give_the_same_bundle() -> None:
    sources = ("from .b import two\nimport sys\nimport os", "import os\ntwo = 2")
    assert merged(*sources) == merged(*sources)


def test_a_sibling_imported_inside_a_function_is_there_already() -> None:
    text = merged("def four():\n    from .b import two\n    return two + two", "two = 2")
    assert run(f"{text}\nresult = four()")["result"] == 4


def test_the_full_name_of_a_sibling() -> None:
    assert run(merged("from eventhive.core.b import two\nfour = two * 2", "two = 2"))["four"] == 4


def test_a_name_that_a_sibling_imported_itself() -> None:
    guarded = "try:\n    from json import dumps\nexcept ImportError:\n    pass"
    text = merged("from .b import dumps\ntext = dumps(1)", guarded)
    assert run(text)["text"] == "1"


def test_one_that_stays_imports_from_the_bundle() -> None:
    text = "from .a import one, two as zwei\nfrom .d import three\ndef f():\n    from .b import x\nimport os"
    assert ast.unparse(rewrite(module("c", text), HOMES)).splitlines() == [
        "from eventhive.core import one, two as zwei",
        "from eventhive.core.d import three",
        "",
        "def f():",
        "    from eventhive.core import x",
        "import os",
    ]


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("from .b import two as zwei", "two = 2", "a.py:1: .*no 'as'"),
        ("x = 1\nfrom . import b", "", "a.py:2: .*'b' is in a bundle: write 'from .b import name'"),
        ("import eventhive.core.b", "", "a.py:1: .*write 'from eventhive.x import name'"),
        ("from ..core import b", "", "a.py:1: .*own package"),
        ("from .b import three", "two = 2", "a.py:1: .*does not define 'three'"),
        ("from .b import two\none = 1", "from .a import one\ntwo = 2", "circle: eventhive.core.a -> eventhive.core.b"),
        ("LIMIT = 1", "LIMIT = 2", "'LIMIT' is in eventhive.core.a and in eventhive.core.b"),
        ("def _help(): pass", "_help = 1", "'_help' is in eventhive.core.a and in eventhive.core.b"),
        ("from json import dumps", "def dumps(): pass", "'dumps' is in 'from json import dumps' and in"),
        ("from json import loads as dumps", "from json import dumps", "'dumps' is in"),
        ("def open(): pass", "", "'open' is in a built-in and in eventhive.core.a"),
        ("lazy = 1", "", "'lazy' is in the module eventhive.core.lazy beside the bundle"),
        ("def f():\n    global count\n    count = 1\ncount = 0", "count = 1", "'count' is in"),
    ],
)
def test_what_is_refused(a: str, b: str, why: str) -> None:
    with pytest.raises(LocalError, match=re.escape(why).replace(r"\.\*", ".*")):
        merged(a, b, ("lazy",))
