"""`eventhive-cli`: the command of EventHive 0.5.0, with its options and its contract, for scripts that are there.

It joins, and hosts, what its configuration says. A receiver waits and prints the last message; a sender sends in the
middle of its time, as 0.5.0 does, so that whoever was started together with it is there by then.
"""

import argparse
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import LocalError
from ..core.names import SEPARATOR
from ..core.spelling import check_name
from ..once import Onlooker
from . import joining, values
from .ending import FAILED, SUCCEEDED, UsageError, finish
from .output import log_to_stderr, say
from .traffic import Outbox

if TYPE_CHECKING:
    from ..config import Config
    from ..hive import Hive
    from ..replies import Question

NAME = "eventhive-cli"

# 0.5.0 takes so long to set up, on top of its time-out; here it is the least that a confirmation is waited for.
SETUP_SECONDS = 1.0

_NOTES = """\
the output: the last message for "<network>/<receiver>/<event>", as JSON, on STDOUT; what happens is told on STDERR.
A message is sent in the middle of the time-out, and counts as received if it was sent to this very event. With
"--target-event", the rest of the time-out is for an answer.

a configuration with {network}, {receiver} and {secret} is a template; other braces stay as they are:
  connectors:
    {network}:
      pubsub_type: fastapi
      input_channel: '{receiver}'
      secret: '{secret}'
      init: {host: 127.0.0.1, port: 8085, endpoint: /pubsub}

secrets: an argument shows in process lists. Set EVENTHIVE_SECRET="my-hive:m1s3cr3t" in the environment in place of
"--secret"; it stands above what the configuration says. Without both, {secret} is empty: no secret.

exit code: 0 when a message was received, or the sent one was confirmed by the carrier; 1 when not; 2 for wrong usage.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run `eventhive-cli` with these arguments, or those of the process; returns the exit code."""
    return finish(NAME, lambda: _run(_parser().parse_args(words)))


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Defaults behind each option, and notes as they were written."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME, description="The Swiss-Army knife for Eventhive", epilog=_NOTES, formatter_class=_Formatter
    )
    add = parser.add_argument
    add("--network", default="eventhive", help="The Eventhive Network of Events (<here>/*/*)")
    add("--receiver", default="cli", help="The Eventhive Channel of Events (*/<here>/*)")
    add("--event", default="do", help="The Eventhive Event Name (*/*/<here>)")
    add(
        "--json-data",
        default=False,
        type=_data,
        help='If set - the JSON will be sent to "<network>/<receiver>/<event>"',
    )
    add(
        "--target-event",
        type=joining.full_name,
        help='If set - the JSON defined in "--json-data" will be published on it instead of '
        '"<network>/<receiver>/<event>"',
    )
    add(
        "--json-fallback",
        default='{"no":"output"}',
        help='The JSON to print to STDOUT if no data is received in "<network>/<receiver>/<event>"',
    )
    add(
        "--config",
        default=".eventhive-config.yaml",
        type=_file,
        help="The Configuration file to be used by Eventhive (can include formatting)",
    )
    add("--timeout", default=6, type=_seconds, help="Time to run before exiting and printing to STDOUT")
    add("--secret", help="A secret string used for signing and encryption of messages; EVENTHIVE_SECRET is safer")
    add("--first", action="store_true", help="Return at the first message, and not at the end of the time")
    add(
        "--debug",
        "-d",
        default=logging.WARNING,
        action="store_const",
        dest="loglevel",
        const=logging.DEBUG,
        help="When set - full DEBUG logs will be printed",
    )
    add(
        "--verbose",
        "-v",
        action="store_const",
        dest="loglevel",
        const=logging.INFO,
        help="When set - INFO logs will be printed",
    )
    return parser


def _run(arguments: argparse.Namespace) -> int:
    log_to_stderr(logging.getLevelName(arguments.loglevel))
    own = SEPARATOR.join([arguments.network, arguments.receiver, arguments.event])
    try:
        check_name(own)
    except LocalError as error:
        raise UsageError(str(error)) from None
    config = _configuration(arguments)
    _check(arguments, config, own)
    mail = Mail(arguments.receiver, arguments.event)
    with joining.joined(config, mail.subscribe) as hive:
        say(f"[CLI] Waiting for: '{arguments.receiver}{SEPARATOR}{arguments.event}'")
        if arguments.json_data is False:
            mail.wait(arguments.timeout, arguments.first)
            done = mail.last is not None
        else:
            done = _send(arguments, hive, mail, own)
    _print(arguments, mail)
    return SUCCEEDED if done else FAILED


def _configuration(arguments: argparse.Namespace) -> "Config":
    from ..config import Settings, build

    if arguments.secret is not None:
        say(f"[CLI] --secret shows in process lists: set EVENTHIVE_SECRET='{arguments.network}:…' in its place")
    settings = Settings()
    values = {"network": arguments.network, "receiver": arguments.receiver, "secret": arguments.secret or ""}
    used = settings.read_template(arguments.config, values)
    if arguments.secret and "secret" not in used:
        raise UsageError(f"{arguments.config} has no {{secret}}, so --secret would have no effect")
    config = build(settings)
    # A gateway is no business of this command.
    return replace(config, gateway=None)


def _check(arguments: argparse.Namespace, config: "Config", own: str) -> None:
    """Refuse to wait for what cannot come, or to send where there is no way to."""
    sends = arguments.json_data is not False
    target = arguments.target_event or own
    network = joining.network_of(target)
    if sends and network not in config.connectors:
        known = ", ".join(config.connectors) or "none"
        raise LocalError(f"{arguments.config}: there is no connector '{network}' (there are: {known})")
    channels = [one.input_channel for one in config.connectors.values()]
    if arguments.receiver not in channels and not sends:
        known = ", ".join(filter(None, channels)) or "none"
        raise LocalError(f"{arguments.config}: there is no input_channel '{arguments.receiver}' (there are: {known})")


def _send(arguments: argparse.Namespace, hive: "Hive", mail: "Mail", own: str) -> bool:
    """Send in the middle of the time, and wait for an answer where one can come; true, or `LocalError`."""
    target = arguments.target_event or own
    end = time.monotonic() + arguments.timeout
    mail.wait(arguments.timeout / 2, False)
    before = mail.last
    mail.clear()
    say(f"[CLI] Publishing to '{target}': '{json.dumps(arguments.json_data[0])}'")
    outbox = Outbox(hive, max(end - time.monotonic(), SETUP_SECONDS))
    try:
        outbox.send(target, arguments.json_data[0])
        outbox.flush()
    except LocalError:
        # What was sent to the own event did not arrive by way of the network.
        mail.last = before
        _print(arguments, mail)
        raise
    say("[CLI] Confirmed by the network")
    if target != own:
        mail.wait(end - time.monotonic(), arguments.first)
    return True


def _print(arguments: argparse.Namespace, mail: "Mail") -> None:
    print(arguments.json_fallback if mail.last is None else mail.last)


class Mail(Onlooker):
    """The messages for `channel/event`, from each network with this input channel; `last` is the JSON of the last."""

    def __init__(self, channel: str, event: str):
        self.last: str | None = None
        self._channel = channel
        self._event = event
        self._arrived = threading.Event()

    def subscribe(self, hive: "Hive") -> None:
        """Take part in the networks; to be given to `Hive.start`."""
        for network in hive.networks.values():
            if network.input_channel == self._channel:
                network.subscribe(SEPARATOR.join([network.name, self._channel, self._event]), self)

    def deliver(self, topic: str, data: Any) -> None:
        """Take a message; called in the loop."""
        self.last = json.dumps(data)
        say(f"[CLI] Received: '{self.last}'")
        self._arrived.set()

    def ask(self, topic: str, question: "Question") -> None:
        """Take a request as an event: nobody here answers it."""
        self.deliver(topic, question.data)

    def clear(self) -> None:
        """Let what has come so far not count as the first."""
        self._arrived.clear()

    def wait(self, seconds: float, first: bool) -> None:
        """Wait for the end of the time, or for the first message."""
        (self._arrived if first else threading.Event()).wait(max(seconds, 0))


def _data(text: str) -> list[Any]:
    # In a list, so that it is something even where it is false.
    try:
        return [values.json_value(text)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None


def _file(text: str) -> str:
    path = "/dev/stdin" if text == "-" else text
    try:
        with Path(path).open("rb"):
            return path
    except OSError as error:
        raise argparse.ArgumentTypeError(f"can't open '{text}': {error.strerror}") from None


def _seconds(text: str) -> float:
    # 0.5.0 takes 0, for the second of its setup.
    return 0.0 if text == "0" else values.seconds(text)
