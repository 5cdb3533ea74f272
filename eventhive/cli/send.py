"""`eventhive send`: call events of a network, and wait until the carrier has them."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ..core.errors import LocalError
from . import joining, values
from .gateway import LEVELS
from .output import log_to_stderr, say
from .traffic import Outbox

STDIN = "-"

# A server that is being restarted is found again within it.
PATIENCE_SECONDS = 5.0

_EXAMPLES = f"""\
examples:
  eventhive send my-hive/worker/action '{{"a": 1}}'      as eventhive.yaml of this folder says
  eventhive send my-hive/worker/action 21.5 --url {joining.EXAMPLE_URL}
  eventhive send my-hive/worker/action - < data.json   from stdin: one JSON text, or a JSON text in each line
  tail -f readings.jsonl | eventhive send my-hive/queen/reading -      each line as it comes

Confirmed means: the server of the network has it, and hands it to who is subscribed at that moment. Whether anybody is,
or what a hook made of it, is not known here.

{joining.SECRETS}
Exit code: 0 when all is confirmed; 1 when something is not, with a line that says why; 2 for wrong usage.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `eventhive send`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("name", metavar="NAME", type=joining.full_name, help="network/channel/event")
    parser.add_argument("data", metavar="DATA", type=_data, help="JSON, or '-' for JSON from stdin")
    joining.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout: event, confirmed")
    parser.add_argument(
        "--timeout",
        type=values.seconds,
        default=PATIENCE_SECONDS,
        metavar="S",
        help=f"give up when nothing is confirmed for S seconds ({PATIENCE_SECONDS:g})",
    )
    parser.add_argument("--log-level", default="error", choices=LEVELS, help="how much to log on stderr (error)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send, and wait for the confirmations; returns the exit code."""
    import json

    log_to_stderr(arguments.log_level)
    config = joining.configuration(arguments, [joining.network_of(arguments.name)])
    data = documents(sys.stdin.buffer) if arguments.data == STDIN else iter(arguments.data)
    with joining.joined(config, None, arguments.timeout) as hive:
        outbox = Outbox(hive, arguments.timeout)
        try:
            _send(outbox, arguments.name, data)
        finally:
            if arguments.json:
                print(json.dumps({"event": arguments.name, "confirmed": outbox.confirmed}))
    return 0


def _send(outbox: Outbox, name: str, data: Iterable[Any]) -> None:
    """Send all, and see that what was sent before an error is confirmed too."""
    try:
        for one in data:
            outbox.send(name, one)
    except LocalError:
        outbox.flush()
        if outbox.sent:
            say(f"eventhive: {outbox.confirmed} events before that are confirmed")
        raise
    outbox.flush()


def documents(lines: Iterable[bytes]) -> Iterator[Any]:
    """The JSON texts of a stream: one in each line, or a single one over all of them. Blank lines are nothing.

    `LocalError` names the line that is none.
    """
    stream = iter(lines)
    first = True
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            value = _read(number, line)
        except LocalError:
            # Only the first can be the beginning of a text over several lines.
            if not first:
                raise
            value = _read(number, line + b"".join(stream))
        yield value
        first = False


def _read(number: int, text: bytes) -> Any:
    try:
        return values.json_value(text.decode())
    except ValueError as error:
        raise LocalError(f"stdin, from line {number} on: not JSON: {error}") from None


def _data(text: str) -> Any:
    if text == STDIN:
        return STDIN
    try:
        return (values.json_value(text),)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error} (a text needs its quotes: '\"text\"')") from None
