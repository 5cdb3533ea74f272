"""Configurations in YAML: `settings.py`, `section.py`, `config.py` and the files beside them."""

from cutting import DEEP
from oracle import require

from eventhive.config import build
from eventhive.settings import ConfigError, Settings

PORTABLE = False
STREAM = False
LONGEST = 700
SHARE = 6
ERRORS = (ConfigError,)


def feed(pieces, seen):
    settings = Settings()
    try:
        settings.read_string(pieces[0].decode(errors="replace"))
        config = build(settings)
    except ConfigError as error:
        require(str(error).isprintable(), f"an error that is no line: {error}")
        raise
    seen.append((sorted(config.connectors), sorted(config.servers)))
    require("secret-of" not in repr(config), "a repr shows a secret")


def seeds():
    return {
        "hive": b"""
eventhive: {metadata_key: __eventhive__, remove_metadata: false}
connectors:
  my-hive:
    pubsub_type: websocket
    input_channel: worker
    secret: secret-of
    init: {host: 127.0.0.1, port: 8085, endpoint: /pubsub, token: secret-of-16-chars}
servers:
  my-hive: {pubsub_type: fastapi, create: needed, broadcast: true, init: {host: 127.0.0.1, port: 8085}}
""",
        "gateway": b"""
connectors:
  my-hive: &a {pubsub_type: memory, input_channel: gw, delivery: once}
  other: {<<: *a, input_channel: ''}
gateway:
  websocket: {host: 0.0.0.0, port: 8086}
  serial: [{port: /dev/ttyACM0, baudrate: 115200}]
  keys: devices.keys
  spool: {quota: 1048576, policy: oldest, networks: {my-hive: {quota: 65536}}}
""",
        "redis": b"connectors:\n  net: {pubsub_type: redis, init: {host: h, port: 6379, db: 0, password: secret-of}}\n",
        "deep": DEEP,
        "tag": b"connectors: !!python/object/apply:os.system [ls]\n",
        "aliases": b"a: &a [1, 1]\nb: &b [*a, *a]\nc: &c [*b, *b]\nconnectors: *c\n",
        "twice": b"connectors: {}\nconnectors: {}\n",
        "date": b"connectors: {2001-99-99: 1}\n",
    }
