"""One mapping of a configuration: its values with their types checked, each error with file, line, column and key."""

import difflib
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .settings import ConfigError, Place, Settings, kind

MAX_PORT = 65535

_MISSING: Any = object()
_WORDS = {"true": True, "false": False}


class Section:
    """The mapping at `place`; `known` are the keys it may have, or None where anything may be one."""

    def __init__(self, settings: Settings, place: Place, value: Any, known: tuple[str, ...] | None):
        self._settings = settings
        self.place = place
        self._values: dict[str, Any] = {} if value is None else value
        if not isinstance(self._values, dict):
            # There may be a secret in a list or a text.
            shown = value if isinstance(value, (int, float)) else kind(value)
            raise self.error("", f"a mapping (key: value) is needed, not {shown}")
        for key in self._values:
            if not isinstance(key, str):
                raise self.error(key, "a key must be a word: put it in quotes")
            if known is not None and key not in known:
                raise self._unknown(key, known)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def error(self, key: str | int, problem: str) -> ConfigError:
        """The error that `problem` is with `key`, or with the whole section where `key` is empty."""
        place = (*self.place, key) if key != "" else self.place
        return ConfigError(f"{self._settings.at(place)}{_dotted(place)}: {problem}")

    def section(self, key: str, known: tuple[str, ...] | None) -> "Section":
        """The mapping under `key`; an empty one where there is none."""
        return Section(self._settings, (*self.place, key), self._values.get(key), known)

    def sections(self, known: tuple[str, ...]) -> "Iterator[tuple[str, Section]]":
        """The mappings under all keys."""
        for key in self._values:
            yield key, self.section(key, known)

    def items(self, key: str, known: tuple[str, ...]) -> "Iterator[Section]":
        """The mappings of the list under `key`."""
        value = self._values.get(key)
        if not isinstance(value, (list, tuple, type(None))):
            raise self.error(key, "a list is needed: begin each entry with '- '")
        for index, item in enumerate(value or ()):
            yield Section(self._settings, (*self.place, key, index), item, known)

    def text(self, key: str, default: str = _MISSING) -> str:
        """A text; without `default` it must be there."""
        value = self._values.get(key)
        if value is None:
            if default is _MISSING:
                raise self.error("", f"the key '{key}' is missing")
            return default
        if not isinstance(value, str):
            raise self.error(key, f"a text is needed, not {value!r}: put it in quotes")
        if not value.isprintable():
            raise self.error(key, f"control characters are not allowed: {value!r}")
        return value

    def secret(self, key: str) -> str:
        """A text that no error shows; empty where there is none."""
        value = self._values.get(key, "")
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or not value.isprintable():
            raise self.error(key, "a text without control characters is needed: put it in quotes")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str = _MISSING) -> str:
        """One of some words."""
        value = self.text(key, default)
        if value not in choices:
            raise self.error(key, f"{_listed(choices)} is needed, not '{value}'{near(value, choices)}")
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """An integer from `low` to `high`."""
        value = self._values.get(key)
        if value is None:
            return default
        if type(value) is not int or not low <= value <= high:
            raise self.error(key, f"an integer from {low} to {high} is needed, not {value!r}")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """True or false, also as a text."""
        value = self._values.get(key)
        if value is None:
            return default
        if isinstance(value, str):
            value = _WORDS.get(value.lower(), value)
        if not isinstance(value, bool):
            raise self.error(key, f"true or false is needed, not {value!r}")
        return value

    def addresses(self, key: str) -> tuple[str, ...]:
        """A list of IP addresses; empty where there is none."""
        values = self._values.get(key)
        if not isinstance(values, (list, tuple, type(None))):
            raise self.error(key, "a list of addresses is needed, such as [192.168.1.10]")
        for value in values or ():
            try:
                ipaddress.ip_address(value if isinstance(value, str) else "")
            except ValueError:
                raise self.error(key, f"an address of this machine is needed, not {value!r}") from None
        return tuple(values or ())

    def path(self, key: str) -> Path | None:
        """A file, relative to the folder of the configuration; None where there is none."""
        name = self.text(key, "")
        return self._settings.directory / name if name else None

    def raw(self, key: str) -> Any:
        """Whatever stands under `key`, None where nothing does."""
        return self._values.get(key)

    def _unknown(self, key: str, known: tuple[str, ...]) -> ConfigError:
        within = f" in {_dotted(self.place)}" if self.place else ""
        hint = near(key, known) or f" (known: {', '.join(known)})"
        # What follows may be the secret itself, where the blank after the colon is missing.
        shown = "secret…" if key.startswith("secret") else key
        return ConfigError(f"{self._settings.at((*self.place, key))}unknown key '{shown}'{within}{hint}")


def _dotted(place: Place) -> str:
    return ".".join([str(part) for part in place]) or "the whole"


def _listed(words: tuple[str, ...]) -> str:
    return " or ".join([f"'{word}'" for word in words])


def near(word: str, known: tuple[str, ...]) -> str:
    """The hint at what was meant; empty where nothing known is like it."""
    found = difflib.get_close_matches(word, known, 1)
    return f" (did you mean '{found[0]}'?)" if found else ""
