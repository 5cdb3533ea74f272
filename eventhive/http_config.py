"""The keys under `gateway: http:`: where the page, its API and the metrics of a gateway are served, and to whom."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .access import ServerAccess, server_context
from .section import MAX_PORT, Section

if TYPE_CHECKING:
    from ssl import SSLContext

# Nobody but this machine, unless the configuration says so.
HOST = "127.0.0.1"
# Beside those of hives (8085) and devices (8086).
PORT = 8087


@dataclass(frozen=True)
class HttpConfig:
    """Where the page is served. `token`: the file with the hash of its token. `login`: false lets anybody in, here."""

    host: str
    port: int
    login: bool
    token: Path
    access: ServerAccess = field(default_factory=ServerAccess)

    @property
    def local(self) -> bool:
        """True where only this machine can connect."""
        return is_local(self.host)

    def tls(self) -> "SSLContext | None":
        """Its TLS, None where it has none; `LocalError` names the file and its fault."""
        return server_context(self.access)


def http_of(gateway: Section, token: Path) -> HttpConfig | None:
    """The page of a gateway, None where there is none; `token` is where the hash of its token is kept."""
    if "http" not in gateway or gateway.raw("http") is False:
        return None
    section = gateway.section("http", ("host", "port", "login", "cert", "key"))
    host = section.text("host", HOST)
    if not host:
        raise section.error("host", "a name or an address is needed; 0.0.0.0 listens on all interfaces")
    cert, key = section.path("cert"), section.path("key")
    if key and not cert:
        raise section.error("key", "there is no certificate to this key: write its file under 'cert'")
    login = section.boolean("login", True)
    if not login and not is_local(host):
        raise section.error("login", f"others can reach {host}: only a page on 127.0.0.1 may be without a login")
    return HttpConfig(host, section.integer("port", PORT, 0, MAX_PORT), login, token, ServerAccess(cert=cert, key=key))


def is_local(host: str) -> bool:
    """True for a name or an address of this machine that no other one can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
