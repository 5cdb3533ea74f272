"""Reading and checking `eventhive.json`, the configuration of a board. Loaded once, at `init`, and then forgotten.

    {"id": "sensor-1", "key": "64 hex digits",
     "link": {"type": "websocket", "host": "192.168.1.10", "port": 8086, "endpoint": "/device"},
     "connectors": {"my-hive": {"input_channel": "sensor-1"}}}

`link` may be a list of several ways to the gateway: they are tried in turn, the last good one first.
"""

import json

from eventhive.core.errors import LocalError
from eventhive.core.ids import is_id
from eventhive.core.session import MAX_HEARTBEAT_S, MIN_HEARTBEAT_S

# What a board without a `heartbeat` of its own uses: dead peers are noticed within 40 s.
HEARTBEAT_S = 20

# About sixty small events; a third of what the smallest supported board has left beside an ordinary program.
OUTBOX_BYTES = 8192

_TOP = {
    "id": str,
    "key": str,
    "keygen": int,
    "link": None,
    "connectors": dict,
    "eventhive": dict,
    "wifi": dict,
    "heartbeat": int,
    "outbox_bytes": int,
    "spill": dict,
    "status": int,
}
_LINKS = {
    "websocket": {
        "type": str,
        "host": str,
        "port": int,
        "endpoint": str,
        "scheme": str,
        "ca": str,
        "insecure": bool,
    },
    "serial": {"type": str, "device": str, "baudrate": int},
    "uart": {"type": str, "id": int, "tx": int, "rx": int, "baudrate": int},
    "usb": {"type": str},
}
_NEEDED = {"websocket": "host", "serial": "device", "uart": "id"}
_CONNECTOR = {"input_channel": str}
_EVENTHIVE = {"remove_metadata": bool, "metadata_key": str}
_WIFI = {"ssid": str, "password": str, "reset_after": int}


def read(path):
    """The checked settings of a file, defaults filled in; `LocalError` names the file, the key and what to do."""
    try:
        with open(path) as file:
            settings = json.load(file)
    except OSError:
        raise LocalError("%s: cannot be read; 'eventhive device add NAME' prints one for this board" % path)
    except (ValueError, RuntimeError):
        raise LocalError("%s: is not JSON" % path)
    try:
        return check(settings)
    except LocalError as error:
        raise LocalError("%s: %s" % (path, error))


def check(settings):
    """The settings with defaults filled in; `LocalError` names the key."""
    _known(settings, _TOP, "")
    for key in ("id", "link", "connectors"):
        if key not in settings:
            raise LocalError("'%s' is missing" % key)
    if not is_id(settings["id"]):
        raise LocalError("id: 1 to 32 letters, digits, '-' and '_'")
    settings["key"] = _key(settings.get("key"))
    links = settings["link"]
    settings["link"] = [_link(link) for link in (links if type(links) is list else [links])]
    if not links:
        raise LocalError("link: at least one is needed")
    for name, connector in settings["connectors"].items():
        _known(connector, _CONNECTOR, "connectors.%s." % name)
    settings["eventhive"] = settings.get("eventhive", {})
    _known(settings["eventhive"], _EVENTHIVE, "eventhive.")
    if "wifi" in settings:
        _known(settings["wifi"], _WIFI, "wifi.")
        if "ssid" not in settings["wifi"]:
            raise LocalError("wifi.ssid is missing")
    settings["heartbeat"] = settings.get("heartbeat", HEARTBEAT_S)
    if not MIN_HEARTBEAT_S <= settings["heartbeat"] <= MAX_HEARTBEAT_S:
        raise LocalError("heartbeat: %d to %d seconds" % (MIN_HEARTBEAT_S, MAX_HEARTBEAT_S))
    settings["outbox_bytes"] = settings.get("outbox_bytes", OUTBOX_BYTES)
    return settings


def _key(text):
    if text is None:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32 or len(text) != 64:
        raise LocalError("key: 64 hex digits, as 'eventhive device add' prints them")
    return key


def _link(link):
    known = _LINKS.get(link.get("type")) if type(link) is dict else None
    if not known:
        raise LocalError("link.type: 'websocket', 'uart', 'usb' or 'serial'")
    _known(link, known, "link.")
    needed = _NEEDED.get(link["type"], "type")
    if needed not in link:
        raise LocalError("link.%s is missing" % needed)
    if needed != "host":
        link["name"] = link.get("device", link["type"])
        return link
    host, port = link["host"], link.get("port", 8086)
    # `name` is what messages call it.
    found = {"host": host, "port": port, "endpoint": link.get("endpoint", "/device"), "name": "%s:%d" % (host, port)}
    if link.get("scheme", "ws") != "ws":
        # Empty: any certificate will do.
        found["ca"] = link.get("ca", "")
        if link["scheme"] != "wss" or not (found["ca"] or link.get("insecure")):
            raise LocalError("link.scheme: 'ws', or 'wss' with a file of certificates under 'ca', or 'insecure'")
    return found


def _known(settings, known, where):
    if type(settings) is not dict:
        raise LocalError("%s must be an object" % (where[:-1] or "the whole"))
    for key, value in settings.items():
        if key not in known:
            raise LocalError("unknown key '%s%s'; known: %s" % (where, key, ", ".join(sorted(known))))
        if known[key] and type(value) is not known[key]:
            raise LocalError("%s%s: must be %s" % (where, key, known[key].__name__))
