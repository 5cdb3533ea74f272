"""How `eventhive listen` and `eventhive send` come to the networks of the events they name.

Rules of this file:
1. They join and never host: servers and gateway of a configuration belong to the program it was written for.
2. A password is not taken from an argument, because arguments show in process lists.
"""

import argparse
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ..core.errors import LocalError
from ..core.names import SEPARATOR, is_remote
from ..core.spelling import check_name, is_glob
from .ending import UsageError

if TYPE_CHECKING:
    from ..config import Config, Connector
    from ..hive import Hive

EXAMPLE_URL = "ws://127.0.0.1:8085/pubsub"

# For leaving politely, when there is nothing left to send.
LEAVE_SECONDS = 1.0

WEBSOCKET_SCHEMES = ("ws", "wss")
REDIS_SCHEMES = ("redis", "rediss")

SECRETS = """\
A network with a secret: EVENTHIVE_SECRET="my-hive:the-secret" in the environment, or 'secret:' in the configuration.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the networks are."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        help="a configuration with 'connectors:' (EVENTHIVE_CONFIG, or eventhive.yaml here, as for a program)",
    )
    where.add_argument("--url", type=_url, help=f"a server, where there is no configuration: {EXAMPLE_URL}")


def full_name(text: str) -> str:
    """An argument that is the full name of one event."""
    try:
        check_name(text)
    except LocalError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not is_remote(text):
        raise argparse.ArgumentTypeError(f"'{text}' stays in its process: a full name is network/channel/event")
    return text


def full_name_or_glob(text: str) -> str:
    """An argument that is the full name of one event, or a glob with the name of its network in front."""
    network, _, rest = text.partition(SEPARATOR)
    if is_glob(network):
        raise argparse.ArgumentTypeError(f"'{text}': the network in front must be a name, as in my-hive/*")
    if not is_glob(rest):
        return full_name(text)
    try:
        check_name(text.replace("*", "x").replace("?", "x"))
    except LocalError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def networks_of(names: Iterable[str]) -> list[str]:
    """The networks of full names, each once."""
    return list(dict.fromkeys(map(network_of, names)))


def configuration(arguments: argparse.Namespace, networks: list[str]) -> "Config":
    """The connectors of these networks, from where the arguments say; `LocalError` where there is none."""
    from ..config import Config, Settings, build

    settings = Settings()
    if arguments.url is not None:
        settings.values["connectors"] = {network: _connector(arguments.url) for network in networks}
    elif arguments.config is not None:
        settings.read_file(arguments.config)
    else:
        settings.read_default()
        if not settings.was_read:
            raise UsageError(f"there is no eventhive.yaml here: give --config FILE, or --url {EXAMPLE_URL}")
    config = build(settings)
    return Config(config.eventhive, {network: _reachable(config, network) for network in networks})


@contextmanager
def joined(
    config: "Config", prepare: "Callable[[Hive], None] | None" = None, seconds: float | None = None
) -> "Iterator[Hive]":
    """A hive that has joined, or has tried to for so many seconds. After an error it is left without waiting."""
    from ..eventlist import ProgramEvents
    from ..hive import Hive
    from ..joined import SETTLE_SECONDS

    hive = Hive(config, ProgramEvents())
    hive.start(prepare, SETTLE_SECONDS if seconds is None else seconds)
    try:
        yield hive
    except BaseException:
        # The error says it, so the hive need not say once more what was not sent.
        logging.getLogger("eventhive").setLevel(logging.CRITICAL)
        hive.stop(0)
        raise
    hive.stop(LEAVE_SECONDS)


def network_of(name: str) -> str:
    """The network of a full name, or of a glob."""
    return name.partition(SEPARATOR)[0]


def _url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}': {error}") from None
    if url.password is not None or url.username is not None:
        raise argparse.ArgumentTypeError("a user or password in it would show in process lists: use a configuration")
    if url.scheme not in (*WEBSOCKET_SCHEMES, *REDIS_SCHEMES) or not url.hostname or port == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not like {EXAMPLE_URL}, wss://… or redis://127.0.0.1:6379/0")
    if url.scheme in WEBSOCKET_SCHEMES and (url.query or url.fragment):
        raise argparse.ArgumentTypeError(f"'{text}': the address of a server has no '?' and no '#'")
    return url


def _connector(url: SplitResult) -> dict[str, Any]:
    if url.scheme in REDIS_SCHEMES:
        return {"pubsub_type": "redis", "init": {"url": url.geturl()}}
    init = {"host": url.hostname, "port": url.port, "endpoint": url.path or None, "scheme": url.scheme}
    return {"pubsub_type": "websocket", "init": init}


def _reachable(config: "Config", network: str) -> "Connector":
    from ..config import FROM_BROADCAST_SECONDS, MEMORY

    connector = config.connectors.get(network)
    if connector is None:
        known = ", ".join(config.connectors) or "none"
        raise LocalError(f"the configuration has no connector '{network}' (it has: {known})")
    if connector.kind == MEMORY:
        raise LocalError(f"'{network}' is a network within one process ('pubsub_type: memory'): nobody else reaches it")
    server = config.servers.get(network)
    if server is not None and server.needed and server.broadcast and not connector.from_broadcast:
        # Whoever hosts would look for an older server first, so that it may be elsewhere.
        return replace(connector, from_broadcast=FROM_BROADCAST_SECONDS)
    return connector
