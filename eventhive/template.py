"""Templates of configurations: `{network}` and the like, in a YAML text that may have braces of its own.

A value is never put into the text, where its quotes and colons would be YAML: each placeholder becomes a word of
letters and digits, and the word becomes the value in the scalars that were read.
"""

import string
from collections.abc import Iterator, Mapping
from itertools import count
from typing import NamedTuple


class Filled(NamedTuple):
    """A text with words for its placeholders, the value of each word, and the names of the placeholders."""

    text: str
    words: dict[str, str]
    names: set[str]


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """Put a word for each placeholder: `{name}`, for each name of `values`. Other braces stay as they are.

    A template as EventHive 0.5.0 takes it is understood too: where all single braces belong to placeholders, doubled
    ones stand for single ones.
    """
    names = [name for name in values if f"{{{name}}}" in text]
    if not values:
        return Filled(text, {}, set())
    word = dict(zip(names, _words(text, values), strict=False))
    fields = _fields(text)
    if fields is not None and all(name is None or name in word for _, name in fields):
        text = "".join([literal + ("" if name is None else word[name]) for literal, name in fields])
    else:
        for name in names:
            text = text.replace(f"{{{name}}}", word[name])
    return Filled(text, {word[name]: values[name] for name in names}, set(names))


def replaced(scalar: str, words: Mapping[str, str]) -> str:
    """A scalar with the values of its words; none of them is in a value, so that their order does not matter."""
    for word, value in words.items():
        scalar = scalar.replace(word, value)
    return scalar


def _words(text: str, values: Mapping[str, str]) -> Iterator[str]:
    """Words that occur nowhere, none of them the beginning of another."""
    taken = "\n".join([text, *values.values()])
    for number in count():
        word = f"placeholder{number}x"
        if word not in taken:
            yield word


def _fields(text: str) -> list[tuple[str, str | None]] | None:
    """The literal parts of a format string, each with the field behind it; None for what is none of plain names."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return None
    if any(spec or conversion for _, _, spec, conversion in parts):
        return None
    return [(literal, name) for literal, name, _, _ in parts]
