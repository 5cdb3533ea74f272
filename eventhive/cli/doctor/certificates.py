"""Whether the certificates of this gateway are valid now, and for how long: by a hand-shake in memory, with OpenSSL."""

import ssl
import time
from collections.abc import Iterator

from ...access import ServerAccess, server_context
from ...core.errors import LocalError
from .finding import Finding, ok, problem, warning
from .subject import Subject

DAY_S = 86_400
# What renews certificates does it 30 days before their end; when half of that is left, it has failed.
SOON_DAYS = 15

RENEW = "renew it (certbot renew), and restart the gateway, which reads it at its start"

# Steps of a hand-shake: a hello, its answer, and the end of it, each way.
_STEPS = 8


def check(subject: Subject) -> Iterator[Finding]:
    """Of devices, the page, and servers of networks."""
    accesses = {"devices": subject.gateway.access}
    if subject.gateway.http is not None:
        accesses["page"] = subject.gateway.http.access
    accesses.update({f"network {name}": server.access for name, server in subject.whole.servers.items()})
    used = {what: access for what, access in accesses.items() if access.cert is not None}
    for what, access in used.items():
        yield from _of(what, access)
    if not used:
        yield ok("none is used")


def _of(what: str, access: ServerAccess) -> Iterator[Finding]:
    shown = f"{what}: cert {access.cert}"
    try:
        days = int((end_s(access) - time.time()) / DAY_S)
    except ssl.SSLCertVerificationError as error:
        yield problem(f"{shown}: {error.verify_message}: clients refuse it", f"{RENEW}; or the clock is wrong")
    except LocalError:
        # The section of the configuration has said why.
        return
    else:
        if days < SOON_DAYS:
            yield warning(f"{shown}: it ends in {days} days", RENEW)
        else:
            yield ok(f"{shown}: good for {days} days")


def end_s(access: ServerAccess) -> float:
    """When the certificate of a server ends, in seconds since 1970; `SSLCertVerificationError`: it is not valid now."""
    server = server_context(access)
    if server is None or access.cert is None:
        raise LocalError("there is no certificate")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    # It vouches for itself: who signed it, its clients know.
    client.load_verify_locations(access.cert)
    client.verify_flags = ssl.VERIFY_X509_PARTIAL_CHAIN
    certificate = _met(client, server).getpeercert() or {}
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))


def _met(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """The client's end of a hand-shake."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)
    for step in range(_STEPS):
        try:
            ends[step % 2].do_handshake()
        except ssl.SSLWantReadError:
            continue
        if step % 2 == 0:
            break
    return ends[0]
