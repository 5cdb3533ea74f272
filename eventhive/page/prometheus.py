"""Metrics as Prometheus reads them: its text format, version 0.0.4, and histograms.

Rules of this file: no I/O and no clock. The values of labels are escaped here and nowhere else.
"""

from bisect import bisect_left
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Seconds. An event within this process takes microseconds, one to a server of the same machine a millisecond, one that
# goes to disk some ten; whatever takes more than ten seconds is an outage.
BOUNDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

Labels = Mapping[str, str]


class Histogram:
    """How often something took how long."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        # One more than there are bounds: for what is beyond the last.
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float, place: int) -> None:
        """Count one, at the place that `place_of` gives."""
        self.counts[place] += 1
        self.total += seconds


def place_of(seconds: float) -> int:
    """Where it belongs in every histogram."""
    return bisect_left(BOUNDS, seconds)


class Text:
    """Metrics that are written one after the other; `families` of them, each with a type and a help text."""

    def __init__(self) -> None:
        self._families: dict[str, list[str]] = {}

    def gauge(self, name: str, help: str, value: float, labels: Labels | None = None) -> None:
        """A value that goes up and down."""
        self._family(name, "gauge", help).append(_sample(name, value, labels))

    def counter(self, name: str, help: str, value: float, labels: Labels | None = None) -> None:
        """A count since the gateway began; `name` ends with _total."""
        self._family(name, "counter", help).append(_sample(name, value, labels))

    def histogram(self, name: str, help: str, histogram: Histogram, labels: Labels) -> None:
        """How often something took how long."""
        lines = self._family(name, "histogram", help)
        count = 0
        for bound, here in zip((*map(str, BOUNDS), "+Inf"), histogram.counts, strict=True):
            count += here
            lines.append(_sample(f"{name}_bucket", count, {**labels, "le": bound}))
        lines.append(_sample(f"{name}_sum", histogram.total, labels))
        lines.append(_sample(f"{name}_count", count, labels))

    def __str__(self) -> str:
        return "".join([line for lines in self._families.values() for line in lines])

    def _family(self, name: str, kind: str, help: str) -> list[str]:
        return self._families.setdefault(name, [f"# HELP {name} {help}\n# TYPE {name} {kind}\n"])


def _sample(name: str, value: float, labels: Labels | None) -> str:
    inner = ",".join([f'{key}="{_escaped(text)}"' for key, text in (labels or {}).items()])
    return f"{name}{{{inner}}} {value!r}\n" if inner else f"{name} {value!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
