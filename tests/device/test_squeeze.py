"""Squeezing: the code does what it did, with fewer names and texts; sources that it could break are refused."""

import ast
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eventhive.core.errors import LocalError
from eventhive.device.names import WORDS
from eventhive.device.squeeze import Squeezed, squeeze
from eventhive.device.stage import compile_mpy
from eventhive.device.texts import TEXTS_FILE, TEXTS_MODULE
from eventhive.device.tools import micropython

BUNDLE = TEXTS_MODULE


def squeezed(text: str, other: str = "") -> Squeezed:
    """One text as the bundle of the core, the other as a module beside it."""
    return squeeze({BUNDLE: ast.parse(text), f"{BUNDLE}.other": ast.parse(other)}, {BUNDLE})


def code(text: str) -> str:
    """The code after the reader of texts."""
    return squeezed(text).code[BUNDLE].partition("if values else text\n")[2].strip()


class TestConstants:
    def test_they_are_put_in(self) -> None:
        assert code("LIMIT = 1 << 4\nTWICE = 2 * LIMIT\ndef f(): return LIMIT, TWICE, -LIMIT") == (
            "def f():\n    return (16, 32, -16)"
        )

    def test_a_negative_one_keeps_its_place(self) -> None:
        assert code("LOW = -2\nx = [LOW ** 2, 5 - LOW]") == "x = [(-2) ** 2, 5 - -2]"

    def test_only_what_is_one_for_ever(self) -> None:
        text = "A = 1\nA = 2\nB = f()\nc = 3\nD = 1.5\nE = 'e'\nF = True\nG = 1 << 40\n"
        text += "H = 1\ndef f():\n    global H\n    H = 2"
        assert code(text) == ast.unparse(ast.parse(text))

    def test_other_modules_get_them_too(self) -> None:
        result = squeezed("LIMIT = 16\nname = 'n'", "from eventhive.core import LIMIT, name\nprint(LIMIT, name)")
        assert result.code[f"{BUNDLE}.other"] == "from eventhive.core import name\nprint(16, name)\n"
        assert result.constants[BUNDLE] == {"LIMIT": 16}

    def test_no_module_keeps_one(self) -> None:
        result = squeezed("", "LIMIT = 16\n_STEP = 2\nx = LIMIT + _STEP")
        assert result.code[f"{BUNDLE}.other"] == "x = 16 + 2\n"

    def test_an_imported_one_that_is_a_variable_too(self) -> None:
        with pytest.raises(LocalError, match="'LIMIT' is imported and also a variable"):
            squeezed("LIMIT = 16", "from eventhive.core import LIMIT\ndef f(LIMIT): return LIMIT")


class TestNames:
    def test_classes_share_short_names(self) -> None:
        text = "class A:\n def _one(self): self._x = self._y = 1\nclass B:\n def _go(self): return self._three"
        first, second = WORDS[:2]
        assert code(text) == ast.unparse(
            ast.parse(
                f"class A:\n def p0(self): self.{first} = self.{second} = 1\n"
                f"class B:\n def p0(self): return self.{first}"
            )
        )

    def test_an_attribute_takes_no_name_that_is_in_use(self) -> None:
        text = "class A:\n def f(self): self._x = []; self._x.append(1)"
        assert f"self.{WORDS[1]}.append(1)" in code(text) and WORDS[0] == "append"

    def test_parameters_of_what_programs_do_not_call(self) -> None:
        result = squeezed("", "def f(sizes):\n    return [lambda size, sizes: size for size in sizes]\n")
        first, second = WORDS[:2]
        names: dict[str, Any] = {}
        exec(result.code[f"{BUNDLE}.other"], names)
        assert f"def f({first})" in result.code[f"{BUNDLE}.other"]
        assert second in result.code[f"{BUNDLE}.other"]
        assert [one("a", "b") for one in names["f"]([1])] == ["a"]

    def test_a_base_class_and_its_children_share_what_they_mean(self) -> None:
        text = (
            "class A:\n def __init__(self): self._a = 1\n def _f(self): return self._a\n"
            "class B(A):\n def __init__(self): A.__init__(self); self._b = 2\n"
            " def _f(self): return A._f(self) + self._b\n def go(self): return self._f()\n"
            "result = B().go()"
        )
        names: dict[str, object] = {}
        exec(squeezed(text).code[BUNDLE], names)
        assert names["result"] == 3

    def test_globals(self) -> None:
        text = "_count = 0\nclass _Box: pass\n"
        text += "def _up():\n global _count\n _count += 1\n return _Box\n_up()\nresult = _count"
        names: dict[str, object] = {}
        exec(squeezed(text).code[BUNDLE], names)
        assert names["result"] == 1
        assert "_up" not in names

    def test_a_method_may_be_called_like_a_global(self) -> None:
        text = "def _f(): return 1\nclass Strange(dict.__class__): \n def _f(self): return self._f, _f()\n"
        renamed = code(text)
        assert "def _f(self):\n        return (self._f, p0())" in renamed

    def test_public_names_and_keywords_stay(self) -> None:
        text = "def hook(event, expand=True):\n    return event\nhook(event='a', expand=False)"
        assert code(text) == ast.unparse(ast.parse(text))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("class A:\n def f(self, other): return other._x", "'_x' is not used on self"),
            ("class A: pass\nx = A()._y", "'_y' is used outside its class"),
            ("class A:\n def f(self): return self._x, getattr(self, '_x')", "private name '_x' in a string"),
            ("class A:\n _x = 1", "a private attribute in the body of class A"),
            ("from eventhive.core import _x", "import of the private name '_x'"),
            ("p1 = 1", "a name like 'p0'"),
        ],
    )
    def test_what_is_refused(self, text: str, why: str) -> None:
        with pytest.raises(LocalError, match=why) as caught:
            squeezed(text)
        assert str(caught.value).startswith(BUNDLE)


class TestTexts:
    def test_they_move_to_the_file(self) -> None:
        result = squeezed("def f(x):\n    raise ValueError('this is what went wrong: %s' % x)")
        assert "raise ValueError(text_at(0, x))" in result.code[BUNDLE]
        assert result.texts == b"this is what went wrong: %s\n"

    def test_the_same_text_is_there_once(self) -> None:
        result = squeezed("def f(): return 'a text that is long enough'\ndef g(): return 'a text that is long enough'")
        assert result.texts == b"a text that is long enough\n"

    def test_other_modules_import_the_reader(self) -> None:
        result = squeezed("", "def f(): return 'a text that is long enough'")
        assert result.code[f"{BUNDLE}.other"].startswith("from eventhive.core import text_at\n")

    @pytest.mark.parametrize(
        "text",
        [
            "NAME = 'a text at the top level of a module'",
            "def f(): return 'a short one'",
            "def f(): return 'the_name_of_something'",
            "def f(): return 'a text that has\\ntwo lines in it'",
            "def f(): return b'bytes that are long enough'",
            "def f(x): return f'a formatted text of {x} and more'",
            "def f() -> 'an annotation that is long enough':\n    'A docstring that is long enough.'",
            "def f():\n    x: 'an annotation that is long enough' = 1\n    return x",
        ],
    )
    def test_what_stays(self, text: str) -> None:
        assert code(text) == ast.unparse(ast.parse(text))


@pytest.mark.skipif(micropython() is None, reason="no MicroPython for this platform on PyPI")
def test_texts_are_read_on_micropython(tmp_path: Path) -> None:
    text = (
        "def one(): return 'a text without a value: ä€😀'\n"
        "def two(x, y): return 'the first is %s, the second %d' % (x, y)\n"
        "def three(x): return 'and one value only: %s' % x\n"
    )
    result = squeezed(text)
    for name, path in ((BUNDLE, "eventhive/core/__init__"), (f"{BUNDLE}.other", "eventhive/core/other")):
        source = tmp_path / f"{path}.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(result.code[name])
        compile_mpy(source, source.with_suffix(".mpy"), path)
        source.unlink()
    texts = tmp_path / TEXTS_FILE
    texts.write_bytes(result.texts)
    program = "from eventhive.core import one, two, three\nprint(one())\nprint(two('x', 2))\nprint(three('y'))"
    command = [*(micropython() or ()), "-c", program]

    def output() -> list[str]:
        environment = {"MICROPYPATH": f"{tmp_path}:.frozen", "PATH": ""}
        # The working folder comes first on the path.
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    expected = ["a text without a value: ä€😀", "the first is x, the second 2", "and one value only: y"]
    assert output() == expected
    # A board that lost the file still says which text, and with what.
    texts.unlink()
    assert [line.split()[0] for line in output()] == ["text"] * 3
    assert "('x', 2)" in output()[1]
