"""What a device says of itself, as far as it can be shown."""

from typing import Any

from ..core.session import is_count

# Several times what devices of ours say, in values and in digits or characters of each.
MAX_REPORTED = 32
MAX_REPORTED_CHARS = 32


def usable(counters: dict[Any, Any]) -> dict[str, Any]:
    """Numbers, lists of these, and short texts, by short names; anything else is left out."""
    found = {name: value for name, value in counters.items() if isinstance(name, str) and _fits(name) and _fits(value)}
    return dict(list(found.items())[:MAX_REPORTED])


def _fits(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_REPORTED_CHARS and value.isprintable()
    if isinstance(value, list):
        return len(value) <= MAX_REPORTED and all(is_count(one) for one in value)
    return is_count(value)
