"""The keys under `init` of a network on Redis: keywords of redis-py, of which only some are known here.

Rules of this file:
1. A key whose type is known is checked; all others are for redis-py to judge, when it is loaded.
2. Passwords are never shown, nor is a URL, which may hold one.
"""

from dataclasses import dataclass, field
from typing import Any

from .section import MAX_PORT, Section

REDIS_PORT = 6379
SENTINEL_PORT = 26379

# No server is configured with more databases.
MAX_DATABASE = 2**31 - 1

_NODE = ("host", "port")


@dataclass(frozen=True)
class RedisInit:
    """What is passed to redis-py; `section` makes the errors of what that does not take. It may hold passwords."""

    keywords: dict[str, Any] = field(repr=False)
    section: Section = field(repr=False, compare=False)


def of_redis(section: Section) -> RedisInit:
    """The keys whose types are known are checked, the others are for redis-py to judge."""
    keywords = {key: section.raw(key) for key in section}
    for key in ("host", "username", "client_name", "unix_socket_path", "service_name"):
        if keywords.get(key) is not None:
            section.text(key)
    for key in ("password", "url"):
        # Not shown, therefore not `text`.
        if not isinstance(keywords.get(key), (str, type(None))):
            raise section.error(key, "a text is needed: put it in quotes")
    for key, high in (("port", MAX_PORT), ("db", MAX_DATABASE)):
        if key in keywords:
            keywords[key] = section.integer(key, REDIS_PORT if key == "port" else 0, 0, high)
    for key in ("ssl", "cluster"):
        if key in keywords:
            keywords[key] = section.boolean(key, False)
    for key in ("sentinels", "startup_nodes"):
        if key in keywords:
            port = SENTINEL_PORT if key == "sentinels" else REDIS_PORT
            nodes = section.items(key, _NODE)
            keywords[key] = [(node.text("host"), node.integer("port", port, 1, MAX_PORT)) for node in nodes]
    return RedisInit(keywords, section)
