"""Under which addresses a server is reached, by this machine and by others."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from .core.errors import LocalError

LOOPBACK = "127.0.0.1"
# An address of documentation (RFC 5737): what this machine would send to it tells its own address, and nothing is sent.
FAR_AWAY = ("198.51.100.1", 9)


def is_loopback(host: str) -> bool:
    """True for what leads to this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Reach:
    """Where a server is announced: the `host` that clients are told, its `addresses`, the `interfaces` to say it on."""

    host: str
    addresses: tuple[str, ...]
    interfaces: tuple[str, ...]


def reach(host: str, interfaces: Sequence[str]) -> Reach:
    """How a server that listens on `host` is reached; `interfaces` are the addresses to speak on, none for all.

    One on loopback is announced on loopback only: to others it would be a promise that it cannot keep. One on all
    interfaces names the address that this machine has towards the rest of the world.
    """
    if is_loopback(host):
        own = LOOPBACK if host == "localhost" else host
        return Reach(own, (own,), (LOOPBACK,))
    if not is_unspecified(host):
        return Reach(host, _resolved(host), tuple(interfaces))
    addresses = tuple(interfaces) or _own_addresses()
    outgoing = _outgoing()
    return Reach(outgoing if outgoing in addresses else addresses[0], addresses, tuple(interfaces))


def local(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return LOOPBACK if is_unspecified(host) else host


def is_unspecified(host: str) -> bool:
    """True for what stands for all interfaces."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _resolved(host: str) -> tuple[str, ...]:
    try:
        return tuple({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError as error:
        raise LocalError(f"{host}: {error.strerror or error}") from None


def _outgoing() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(FAR_AWAY)
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def _own_addresses() -> tuple[str, ...]:
    import ifaddr

    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return tuple([address for address in found if not is_loopback(address)]) or (LOOPBACK,)
