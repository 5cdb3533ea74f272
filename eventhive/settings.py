"""Configuration as it was written: YAML texts and files merged into one dict, and where each key stood.

Rules of this file:
1. It knows no key; what the keys mean, and which there are, is in `config.py`.
2. YAML is read by the safe loader only, within limits, and not before there is something to read.
3. `values` is a dict like any other: a program may change it until the configuration is used.
"""

import copy
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import template
from .core.errors import LocalError

if TYPE_CHECKING:
    import yaml

# A configuration is written by hand; these stop a file that is none (a log, an image, nested aliases) before it fills
# the memory.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_NODES = 20_000

DEFAULT_FILE = "eventhive.yaml"
FILE_VARIABLE = "EVENTHIVE_CONFIG"

COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
MERGE_TAG = "tag:yaml.org,2002:merge"

# The place of a key: ("connectors", "my-hive", "init", "port"); list items by their index.
Place = tuple[str | int, ...]


class ConfigError(LocalError):
    """The configuration cannot be used: one line that names file, line, column and key."""

    def __init__(self, text: str):
        # A key may be any text of YAML.
        super().__init__("".join([one if one.isprintable() else "?" for one in text]))


class Settings:
    """Merged configuration texts.

    `values`: the merged dict. With `over_default`, the default file, where there is one, is read before anything else:
    it lies beneath. `was_read`: true once a text was. `directory` and `stem`: of the last file read, for
    paths that are relative to it; the working folder and "eventhive" when there was none.
    `again`: gives what is written now, where that can be read again.
    """

    def __init__(self, values: dict[str, Any] | None = None, over_default: bool = False) -> None:
        self.values: dict[str, Any] = values if values is not None else {}
        self.directory = Path()
        self.stem = "eventhive"
        self.was_read = False
        self.again: Callable[[], Settings] | None = None
        # What the values were, until the default file has been read.
        self._beneath = copy.deepcopy(self.values) if over_default else None
        self._lines: dict[Place, tuple[str, Any]] = {}

    def read_string(self, text: str) -> None:
        """Merge a YAML text over what was read before."""
        self.read_text(text, "configuration")

    def read_file(self, path: str | os.PathLike[str]) -> None:
        """Merge a YAML file over what was read before."""
        self.read_template(path, {})

    def read_template(self, path: str | os.PathLike[str], values: Mapping[str, str]) -> set[str]:
        """Merge a YAML file in which `{name}` stands for one of the values; returns the names that are in it."""
        file = Path(path)
        try:
            with file.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            text = data.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{file}: not UTF-8 text") from None
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from None
        filled = template.fill(text, values)
        self._read(filled.text, str(file), filled.words)
        self.directory, self.stem = file.parent.absolute(), file.stem
        return filled.names

    def read_default(self) -> None:
        """Read the file that EVENTHIVE_CONFIG names, or `eventhive.yaml` of the working folder if there is one."""
        named = os.environ.get(FILE_VARIABLE)
        if named or os.path.exists(DEFAULT_FILE):
            self.read_file(named or DEFAULT_FILE)

    def lay_default(self) -> None:
        """With `over_default`, read the default file, unless that was done; what the program has set stays above it."""
        if self._beneath is not None:
            own, self._beneath = _changes(self.values, self._beneath), None
            self.read_default()
            _merge(self.values, own)

    def read_text(self, text: str, source: str) -> None:
        """Merge a YAML text over what was read before; errors and marks call it `source`."""
        self._read(text, source, {})

    def _read(self, text: str, source: str, words: Mapping[str, str]) -> None:
        if len(text) > MAX_BYTES:
            raise ConfigError(f"{source}: longer than {MAX_BYTES} bytes, so it is no configuration")
        self.lay_default()
        self.was_read = True
        tree = _Tree(source, words)
        new = tree.read(text)
        if new is None:
            return
        if not isinstance(new, dict):
            raise ConfigError(f"{source}:1:1: a mapping (key: value) is needed, not {kind(new)}")
        self._lines.update(tree.lines)
        _merge(self.values, new)

    def at(self, place: Place) -> str:
        """Say where a key stands: "file:line:column: ", or "configuration: " when the program set or changed it."""
        source, written = self._lines.get(place, ("", None))
        value: Any = self.values
        for part in place:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
        if source and (isinstance(written, (dict, list)) or written == value):
            return f"{source}: "
        return "configuration: "


class _Tree:
    """Makes plain values of one text and notes the place of each key."""

    def __init__(self, source: str, words: Mapping[str, str]) -> None:
        self.source = source
        self._words = words
        self.lines: dict[Place, tuple[str, Any]] = {}
        self._nodes = 0

    def read(self, text: str) -> Any:
        import yaml

        self._text = text
        try:
            self._check_depth(text)
            self._loader = yaml.SafeLoader(text)
            node = self._loader.get_single_node()
            return None if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = self._hiding(mark, f"{error.problem or error.context}")
            raise ConfigError(f"{self.source}:{_spot(mark)}: cannot be read: {problem}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.source}: cannot be read: {str(error).splitlines()[0]}") from None

    def _check_depth(self, text: str) -> None:
        # By events, which are read without recursion: making the nodes of a deep text would exhaust the stack.
        import yaml

        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _hiding(self, mark: Any, problem: str) -> str:
        """The problem, unless it may show a part of a secret."""
        line = mark.line if mark else 0
        lines = self._text.splitlines()[line : line + 1]
        return "put the secret in quotes" if lines and "secret" in lines[0] else problem

    def _error(self, node: "yaml.Node | yaml.Event", problem: str) -> ConfigError:
        return ConfigError(f"{self.source}:{_spot(node.start_mark)}: {problem}")

    def _value(self, node: "yaml.Node", place: Place) -> Any:
        import yaml

        self._nodes += 1
        if self._nodes > MAX_NODES or len(place) > MAX_DEPTH:
            raise self._error(node, "too many values, or aliases within aliases")
        if isinstance(node, yaml.CollectionNode) and node.tag not in COLLECTION_TAGS:
            raise self._error(node, self._hiding(node.start_mark, f"the tag {node.tag!r} is not allowed"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._placed(item, item, (*place, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: "yaml.MappingNode", place: Place) -> dict[Any, Any]:
        own: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag != MERGE_TAG:
                key = self._key(key_node)
                if key in own:
                    raise self._error(key_node, f"the key {key!r} stands here twice")
                own.add(key)
        self._loader.flatten_mapping(node)
        pairs = [(self._key(key_node), key_node, value_node) for key_node, value_node in node.value]
        return {key: self._placed(key_node, value_node, (*place, key)) for key, key_node, value_node in pairs}

    def _placed(self, marked: "yaml.Node", node: "yaml.Node", place: Place) -> Any:
        value = self._value(node, place)
        self.lines[place] = (f"{self.source}:{_spot(marked.start_mark)}", value)
        return value

    def _key(self, node: "yaml.Node") -> Any:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a key must be a word")
        return self._scalar(node)

    def _scalar(self, node: "yaml.Node") -> Any:
        try:
            value = self._loader.construct_object(node)
            return template.replaced(value, self._words) if isinstance(value, str) else value
        except ValueError as error:
            # What looks like a date or a number and is none.
            problem = f"{node.value!r} cannot be read ({error}): put it in quotes"
            raise self._error(node, self._hiding(node.start_mark, problem)) from None


def _spot(mark: Any) -> str:
    """Line and column, as editors count them."""
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"


def _merge(old: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, (dict, type(None))):
            _merge(before, value or {})
        else:
            old[key] = value


def _changes(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """What `new` has that `old` has not, or has otherwise."""
    changes = {}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            value = _changes(value, before)
            if value:
                changes[key] = value
        elif key not in old or value != before:
            changes[key] = value
    return changes


def kind(value: object) -> str:
    """What a value is, in the words of somebody who writes a configuration."""
    return "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else type(value).__name__
