"""What a configuration means: every key there is, checked, as frozen dataclasses.

Rules of this file:
1. An unknown key, a wrong type or a value out of range is an error; so is a key of EventHive 0.5.0 whose function is
   not available yet: nothing that was written down is silently ignored.
2. Each error is one line with file, line, column and key.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .access import CLIENT_KEYS, SERVER_KEYS, ClientAccess, ServerAccess, of_client, of_server, server_context
from .availability_config import AvailabilityConfig, availability_of
from .core.errors import LocalError
from .core.names import SEPARATOR
from .core.spelling import check_name
from .defaults import DEFAULTS, METADATA_KEY, REMOVE_METADATA
from .http_config import HttpConfig, http_of
from .redis_init import RedisInit, of_redis
from .secret import SECRET_KEYS, Secret, secret_of, secrets_of_environment
from .section import MAX_PORT, Section
from .serial_config import BAUDRATE, SerialPort, serial_of
from .settings import ConfigError, Settings
from .spool_config import SpoolConfig, spool_of

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = [
    "BAUDRATE",
    "Address",
    "Config",
    "ConfigError",
    "Connector",
    "Gateway",
    "SerialPort",
    "Server",
    "Settings",
    "build",
    "load_file",
]

WEBSOCKET = "websocket"
MEMORY = "memory"
REDIS = "redis"
# What 0.5.0 calls the websocket pubsub, after the library that it uses.
FASTAPI = "fastapi"

HOST = "127.0.0.1"
HIVE_PORT = 8085
DEVICE_PORT = 8086

# An answer to a look-up may be put off by 1.1 s, and the question be lost once; 0.5.0 waited 1 s and mostly failed.
FROM_BROADCAST_SECONDS = 3.0
MAX_FROM_BROADCAST_SECONDS = 3600

# Which wire a connector speaks: the leanest that its server knows, or the one of 0.5.0.
AUTO = "auto"
CLASSIC = "classic"

# Whoever switched a light on has seen within an hour that it did not go on.
COMMAND_TTL_S = 3600
# A year: longer than anything that is still meant to happen.
MAX_COMMAND_TTL_S = 31_536_000

# When the gateway acknowledges a device's event: the carrier has confirmed it; or it is on disk, and stays there until
# hooks have confirmed it.
SENT = "sent"
ONCE = "once"

_ADDRESS = ("host", "port", "endpoint", "scheme")
_NOT_YET = "is not available in this version"


@dataclass(frozen=True)
class Address:
    """Where a websocket server listens; `scheme` is "ws" or "wss", `endpoint` begins with "/"."""

    host: str = HOST
    port: int = HIVE_PORT
    endpoint: str = "/pubsub"
    scheme: str = "ws"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.endpoint}"


@dataclass(frozen=True)
class Connector:
    """One network that this process speaks on; `input_channel` is empty where it only publishes.

    `kind` is "websocket", "memory" or "redis", the last with `redis` in place of `address`. Metadata is added to what
    is sent under `metadata_key`, none where it is empty. `from_broadcast`: seconds to wait for an announced server,
    whose address is used in place of `address`; or 0. `receive_own`: the hooks of this process also get what it calls.
    `classic_only`: speak the wire of 0.5.0 with servers of ours too. `once`: a gateway keeps events of devices until
    hooks have confirmed them.
    """

    network: str
    kind: str
    input_channel: str
    address: Address
    metadata_key: str = ""
    access: ClientAccess = field(default_factory=ClientAccess)
    redis: RedisInit | None = None
    secret: Secret = field(default_factory=Secret)
    from_broadcast: float = 0
    receive_own: bool = False
    classic_only: bool = False
    once: bool = False


@dataclass(frozen=True)
class Server:
    """A pubsub server that this process runs for a network; with `needed`, only while there is no other one.

    `broadcast`: announce it, so that others find it by the name of its network.
    """

    network: str
    address: Address
    needed: bool
    access: ServerAccess = field(default_factory=ServerAccess)
    broadcast: bool = False


@dataclass(frozen=True)
class Gateway:
    """The `gateway:` section. `websocket` is None where devices are not taken over it, `spool` where there is none.

    `command_ttl`: seconds that a command lives for a device that is not there. `access` has the certificate of the
    websocket, where it speaks TLS. `http`: where its page is served, None where it has none. `name`: its channel on all
    networks, empty where that is their input channel. `availability`: what networks are told of devices;
    `console_events`: also what they print. `state`: the file of what is remembered of them, None where there is none.
    """

    def tls(self) -> "SSLContext | None":
        """The TLS of the websocket, None where it has none; `LocalError` names the file and its fault."""
        return server_context(self.access)

    websocket: Address | None
    serial: tuple[SerialPort, ...]
    insecure: bool
    keys: Path
    control: Path
    spool: SpoolConfig | None = None
    command_ttl: int = COMMAND_TTL_S
    access: ServerAccess = field(default_factory=ServerAccess)
    http: HttpConfig | None = None
    name: str = ""
    availability: AvailabilityConfig = field(default_factory=AvailabilityConfig)
    console_events: bool = False
    state: Path | None = None


@dataclass(frozen=True)
class Common:
    """The `eventhive:` section: the key of metadata, and whether it is left out of what is sent.

    `interfaces`: the own addresses on which servers are announced and looked up; none stands for all.
    """

    metadata_key: str = METADATA_KEY
    remove_metadata: bool = REMOVE_METADATA
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """A whole configuration; connectors and servers by their network, in the order they were written."""

    eventhive: Common = Common()
    connectors: dict[str, Connector] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    gateway: Gateway | None = None


def load_file(path: "str | os.PathLike[str]") -> Config:
    """Read and check one file; `ConfigError` names what cannot be used."""
    settings = Settings()
    settings.read_file(path)
    return build(settings)


def build(settings: Settings) -> Config:
    """Check everything that was read; `ConfigError` names what cannot be used."""
    root = Section(settings, (), settings.values, ("eventhive", "connectors", "servers", "gateway"))
    common = _common(root.section("eventhive", _COMMON))
    connectors = _networks(root, "connectors", _CONNECTOR)
    given = secrets_of_environment([network for network, _ in connectors])
    joined = {network: _connector(network, part, common, given.get(network)) for network, part in connectors}
    gateway = _gateway(root.section("gateway", _GATEWAY), settings, tuple(joined)) if "gateway" in root else None
    if gateway is not None and gateway.spool is None:
        for network, part in connectors:
            if joined[network].once:
                raise part.error("delivery", "'once' keeps events on disk: it needs 'gateway: spool:', which is off")
    return Config(
        common,
        joined,
        {network: _server(network, part) for network, part in _networks(root, "servers", _SERVER) if _wanted(part)},
        gateway,
    )


def _common(section: Section) -> Common:
    if section.text("channel_separator", SEPARATOR) != SEPARATOR:
        raise section.error("channel_separator", f"another separator than '{SEPARATOR}' {_NOT_YET}")
    return Common(
        section.text("metadata_key", METADATA_KEY),
        section.boolean("remove_metadata", REMOVE_METADATA),
        section.addresses("interfaces"),
    )


_COMMON = (*DEFAULTS, "interfaces")
_CONNECTOR = (
    *("pubsub_type", "input_channel", "init", *SECRET_KEYS, "from_broadcast", "remove_metadata", "receive_own"),
    "delivery",
)
_SERVER = ("pubsub_type", "create", "broadcast", "init")
_GATEWAY = (
    *("websocket", "serial", "insecure", "keys", "control", "spool", "command_ttl", "http"),
    *("name", "availability", "console_events", "state"),
)


def _networks(root: Section, key: str, known: tuple[str, ...]) -> list[tuple[str, Section]]:
    networks = root.section(key, None)
    found = list(networks.sections(known))
    for network, _ in found:
        _check_part(networks, network, network)
    return found


def _check_part(section: Section, key: str, name: str) -> None:
    try:
        check_name(name)
    except LocalError as error:
        raise section.error(key, str(error)) from None
    if SEPARATOR in name:
        raise section.error(key, f"'{name}' is one part of an event name: no '{SEPARATOR}' in it")


def _connector(network: str, section: Section, common: Common, given: str | None) -> Connector:
    kind = section.choice("pubsub_type", (FASTAPI, WEBSOCKET, MEMORY, REDIS))
    channel = section.text("input_channel", "")
    if channel:
        _check_part(section, "input_channel", channel)
    removed = section.boolean("remove_metadata", common.remove_metadata)
    from_broadcast = _from_broadcast(section)
    if from_broadcast and kind in (MEMORY, REDIS):
        raise section.error("from_broadcast", f"only websocket servers are announced, not '{kind}'")
    address, access, keywords, wire = Address(), ClientAccess(), None, AUTO
    if kind == REDIS:
        keywords = of_redis(section.section("init", None))
    else:
        init = section.section("init", (*_ADDRESS, *CLIENT_KEYS, "wire"))
        wire = init.choice("wire", (AUTO, CLASSIC), AUTO)
        address = Address() if kind == MEMORY else _address(init, HIVE_PORT, "/pubsub")
        access = of_client(init, address.scheme, from_broadcast > 0)
    return Connector(
        network,
        WEBSOCKET if kind == FASTAPI else kind,
        channel,
        address,
        "" if removed else common.metadata_key,
        access,
        keywords,
        secret_of(section, given),
        from_broadcast,
        section.boolean("receive_own", False),
        wire == CLASSIC,
        section.choice("delivery", (SENT, ONCE), SENT) == ONCE,
    )


def _wanted(section: Section) -> bool:
    return section.choice("create", ("never", "needed", "always")) != "never"


def _server(network: str, section: Section) -> Server:
    section.choice("pubsub_type", (FASTAPI, WEBSOCKET))
    init = section.section("init", (*_ADDRESS, *SERVER_KEYS))
    address = _address(init, HIVE_PORT, "/pubsub")
    return Server(
        network,
        address,
        section.text("create") == "needed",
        of_server(init, address.scheme),
        section.boolean("broadcast", False),
    )


def _from_broadcast(section: Section) -> float:
    value = section.raw("from_broadcast")
    if type(value) not in (int, float):
        return FROM_BROADCAST_SECONDS if section.boolean("from_broadcast", False) else 0
    if not 0 <= value <= MAX_FROM_BROADCAST_SECONDS:
        raise section.error("from_broadcast", f"true, false or seconds up to {MAX_FROM_BROADCAST_SECONDS} are needed")
    return float(value)


def _address(section: Section, port: int, endpoint: str) -> Address:
    host = section.text("host", HOST)
    if not host:
        # The socket library takes an empty host for all interfaces.
        raise section.error("host", "a name or an address is needed; 0.0.0.0 listens on all interfaces")
    endpoint = section.text("endpoint", endpoint)
    if not endpoint.isascii() or " " in endpoint:
        raise section.error("endpoint", f"a path of a URL is needed, such as /pubsub, not '{endpoint}'")
    return Address(
        host,
        section.integer("port", port, 0, MAX_PORT),
        endpoint if endpoint.startswith("/") else "/" + endpoint,
        section.choice("scheme", ("ws", "wss"), "ws"),
    )


def _gateway(section: Section, settings: Settings, networks: tuple[str, ...]) -> Gateway:
    websocket, access = None, ServerAccess()
    if section.raw("websocket") is not False:
        init = section.section("websocket", (*_ADDRESS, "cert", "key"))
        websocket = _address(init, DEVICE_PORT, "/device")
        access = of_server(init, websocket.scheme)
    name = section.text("name", "")
    if name:
        _check_part(section, "name", name)
    return Gateway(
        websocket,
        serial_of(section),
        section.boolean("insecure", False),
        settings.directory / section.text("keys", f"{settings.stem}.keys"),
        settings.directory / section.text("control", f"{settings.stem}.sock"),
        spool_of(section, settings.directory / f"{settings.stem}.spool", networks),
        section.integer("command_ttl", COMMAND_TTL_S, 1, MAX_COMMAND_TTL_S),
        access,
        http_of(section, settings.directory / f"{settings.stem}.page"),
        name,
        availability_of(section),
        section.boolean("console_events", False),
        _state(section, settings.directory / f"{settings.stem}.state"),
    )


def _state(section: Section, default: Path) -> Path | None:
    return None if section.raw("state") is False else section.path("state") or default
