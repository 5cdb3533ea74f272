"""`eventhive listen`: print the events of networks as they come."""

import argparse
import json
import signal
import time
from datetime import datetime
from types import FrameType
from typing import NoReturn

from ..core.errors import LocalError
from . import joining, values
from .gateway import LEVELS
from .output import log_to_stderr, printable, say
from .traffic import Inbox, Received

_EXAMPLES = f"""\
examples:
  eventhive listen my-hive/queen/temperature           one event, as eventhive.yaml of this folder says
  eventhive listen 'my-hive/queen/*'                   all of a channel; in quotes, or the shell takes the '*'
  eventhive listen 'my-hive/*' --url {joining.EXAMPLE_URL}
  eventhive listen 'my-hive/*' --json | jq .data       {{"time": seconds since 1970, "event": …, "data": …}}
  eventhive listen my-hive/queen/done --count 1 --timeout 30      wait for an event; exit code 1 if it does not come

A websocket server knows exact names, or all there are: with a '*' or '?' everything of the network is received, and
what does not match is left out here. Redis takes exact names only. Listening takes nothing away from other members.

{joining.SECRETS}
Exit code: 0 after --count events, after --timeout without --count, or at Ctrl-C; 1 where not enough came in time, or
the network was not reached; 2 for wrong usage; 130 at Ctrl-C before --count events. What is not an event is on stderr.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `eventhive listen`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "names", nargs="+", metavar="NAME", type=joining.full_name_or_glob, help="network/channel/event, or a glob"
    )
    joining.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout: time, event, data")
    parser.add_argument("--count", type=values.count, metavar="N", help="end after N events (never)")
    parser.add_argument("--timeout", type=values.seconds, metavar="S", help="end after S seconds (never)")
    parser.add_argument("--log-level", default="info", choices=LEVELS, help="how much to log on stderr (info)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Listen until it was enough; returns the exit code."""
    log_to_stderr(arguments.log_level)
    signal.signal(signal.SIGTERM, _interrupt)
    config = joining.configuration(arguments, joining.networks_of(arguments.names))
    inbox = Inbox(arguments.names)
    end = None if arguments.timeout is None else time.monotonic() + arguments.timeout
    with joining.joined(config, inbox.subscribe, arguments.timeout) as hive:
        connectors = hive.connectors.values()
        try:
            if all(one.connected for one in connectors):
                states = ", ".join(one.state for one in connectors)
                say(f"eventhive listen: ready: {', '.join(arguments.names)} ({states})")
            printed = _print(inbox, end, arguments)
        except KeyboardInterrupt:
            # Where nothing else ends it, this is how it is meant to end.
            if arguments.count is not None:
                raise
            return 0
        away = ", ".join(f"{name}: {one.state}" for name, one in hive.connectors.items() if not one.connected)
    if printed != arguments.count and (arguments.count or away):
        number = f"{printed} of {arguments.count}" if arguments.count else f"{printed}"
        raise LocalError(f"{number} events in {arguments.timeout:g} s{away and f' ({away})'}")
    return 0


def _print(inbox: Inbox, end: float | None, arguments: argparse.Namespace) -> int:
    """Print what comes, until it is enough or late; returns how many there were."""
    printed = 0
    while printed != arguments.count:
        received = inbox.get(None if end is None else end - time.monotonic())
        if received is None:
            break
        print(_as_json(received) if arguments.json else _as_text(received), flush=inbox.is_empty)
        printed += 1
    return printed


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _as_json(received: Received) -> str:
    return json.dumps({"time": round(received.time, 6), "event": received.event, "data": received.data})


def _as_text(received: Received) -> str:
    clock = datetime.fromtimestamp(received.time).strftime("%H:%M:%S.%f")[:-3]
    return printable(f"{clock}  {received.event}  {json.dumps(received.data, ensure_ascii=False)}")
