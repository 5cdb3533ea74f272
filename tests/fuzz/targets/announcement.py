"""TXT records of servers that announce themselves in the local network: `discovery.py`."""

from oracle import require
from zeroconf import ServiceInfo

from eventhive.discovery import TYPE, Announcement, parse

PORTABLE = False
STREAM = False
LONGEST = 300
SHARE = 60
ERRORS = ()

NETWORK = "my-hive"


def feed(pieces, seen):
    (text,) = pieces
    found = parse(NETWORK, ServiceInfo(TYPE, f"{NETWORK}.{TYPE}", properties=text).properties)
    if found is None:
        return
    require(0 < found.port < 65536 and found.scheme in ("ws", "wss"), f"no address: {found}")
    require(str(found).isprintable() and " " not in str(found), f"no URL: {found}")
    require(found.rank >= (0, "", "", 0), f"no rank: {found.rank}")
    again = {key.encode(): value.encode() for key, value in found.properties().items()}
    require(parse(NETWORK, again) == found, f"{found} is announced as another one")
    seen.append(str(found))


def record(**properties):
    """A TXT record (RFC 6763, 6)."""
    pairs = [f"{key}={value}".encode() for key, value in properties.items()]
    return b"".join([bytes((len(pair),)) + pair for pair in pairs])


def seeds():
    ours = Announcement(NETWORK, "192.168.1.10", 8085, since=1767225600000, id="0123456789abcdef")
    return {
        "ours": record(**ours.properties()),
        "0.5.0": record(host="0.0.0.0", port="8085", endpoint="pubsub", scheme="ws"),
        "six": record(host="fe80::1", port="8085", scheme="wss"),
        "name": record(host="hive.local", port="65535", endpoint="/x?y=z", id="~"),
        "broken": b"\x05host=\x00\x03a\xff=\x20port=80",
    }
