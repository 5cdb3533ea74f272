"""The section `eventhive:` of a configuration that says nothing; its keys are those of EventHive 0.5.0."""

from typing import Any

from .core.names import SEPARATOR

METADATA_KEY = "__eventhive__"
# 0.5.0 adds metadata; here it is added where it is asked for.
REMOVE_METADATA = True

DEFAULTS: dict[str, Any] = {
    "metadata_key": METADATA_KEY,
    "remove_metadata": REMOVE_METADATA,
    "channel_separator": SEPARATOR,
}
