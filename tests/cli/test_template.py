"""Placeholders of a configuration, and values that would be YAML."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eventhive.settings import Settings
from eventhive.template import fill, replaced

TEMPLATE = """\
connectors:
  {network}:           # {not} a {placeholder}, {network} is
    pubsub_type: fastapi
    input_channel: '{receiver}'
    secret: "{secret}"
    bare: {secret}
    both: a-{network}-{receiver}
    init: {host: 127.0.0.1, port: 8085, nested: {empty: {}, list: [{a: 1}]}}
"""

# What YAML, a template or a careless replacement would take for its own.
WORDS = [
    "plain",
    "",
    "it's",
    'a "quote"',
    "a: b",
    "a #b",
    "- x",
    "{secret}",
    "{network}",
    "{{",
    "*alias",
    "&anchor",
    "!!python/object:os.system",
    "null",
    "12",
    "0x1F",
    "2020-01-01",
    "a\nb: c",
    "\\x41",
    "%s",
    "placeholder0x",
]


def read(text: str, **values: str) -> dict[str, object]:
    filled = fill(text, values)
    tree = yaml.safe_load(filled.text)

    def restored(node: object) -> object:
        if isinstance(node, dict):
            return {restored(key): restored(value) for key, value in node.items()}
        if isinstance(node, list):
            return [restored(item) for item in node]
        return replaced(node, filled.words) if isinstance(node, str) else node

    result = restored(tree)
    assert isinstance(result, dict)
    return result


def check(network: str, receiver: str, secret: str) -> None:
    assert read(TEMPLATE, network=network, receiver=receiver, secret=secret) == {
        "connectors": {
            network: {
                "pubsub_type": "fastapi",
                "input_channel": receiver,
                "secret": secret,
                "bare": secret,
                "both": f"a-{network}-{receiver}",
                "init": {"host": "127.0.0.1", "port": 8085, "nested": {"empty": {}, "list": [{"a": 1}]}},
            }
        }
    }


@pytest.mark.parametrize("word", WORDS)
def test_a_value_stays_a_value(word: str) -> None:
    check("net", "channel", word)
    check("net", word, "secret")
    check(word, "channel", "secret")


@given(st.text(), st.text(), st.text())
def test_any_values(network: str, receiver: str, secret: str) -> None:
    check(network, receiver, secret)


def test_doubled_braces_of_a_template_of_0_5_0() -> None:
    text = "connectors: {{{network}: {{init: {{host: h}}, secret: '{secret}', empty: {{}}}}}}"
    expected = {"connectors": {"n": {"init": {"host": "h"}, "secret": "a}}b", "empty": {}}}}
    assert yaml.safe_load(text.format(network="n", secret="a}}b")) == expected
    assert read(text, network="n", secret="a}}b") == expected
    assert read("init: {{host: h}}", network="n") == {"init": {"host": "h"}}


def test_other_braces_stay() -> None:
    for text in ("init: {host: {a: {}}}", "a: '}}'\nb: '{x}'\nc: '{network:>4} {network!r}'", "a: '{'"):
        assert fill(text, {"network": "n"}).text == text
    assert fill("a: {network}", {}) == ("a: {network}", {}, set())


def test_the_names_that_are_there() -> None:
    assert fill("a: {network}", {"network": "n", "secret": "s"}).names == {"network"}


def test_settings_keep_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "hive.yaml"
    file.write_text("connectors:\n  {network}:\n    input_channel: '{receiver}'\n")
    settings = Settings()
    assert settings.read_template(file, {"network": "a: b", "receiver": "'", "secret": ""}) == {"network", "receiver"}
    assert settings.values == {"connectors": {"a: b": {"input_channel": "'"}}}
    assert settings.at(("connectors", "a: b", "input_channel")) == f"{file}:3:5: "
    assert settings.directory == file.parent
