"""Whether the configuration can be used, with the files that it names, and whether its gateway runs."""

from collections.abc import Callable, Iterator
from functools import partial

from ...access import TLS, client_context, server_context
from ...core.errors import LocalError
from ...core.version import VERSION
from .finding import Finding, note, ok, problem, warning
from .subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """The file, what it names, and the gateway that runs with it."""
    if subject.fault:
        yield problem(subject.fault, f"correct {subject.path}, then run this again: the rest needs it")
        return
    networks, ports = len(subject.whole.connectors), len(subject.gateway.serial)
    yield ok(f"{subject.path} can be used: {networks} networks, {ports} serial ports")
    if not networks:
        what = "there is no network under 'connectors': events of devices have nowhere to go"
        yield warning(what, "add one; 'eventhive gateway --help' shows an example")
    if subject.gateway.websocket is None and not ports:
        yield problem("neither 'websocket' nor 'serial': no device can connect", "add one of them under 'gateway'")
    yield from _files(subject)
    yield from _running(subject)


def _files(subject: Subject) -> Iterator[Finding]:
    """Certificates and files of tokens."""
    gateway, config = subject.gateway, subject.whole
    servers = [gateway.access, *[one.access for one in config.servers.values()]]
    if gateway.http is not None:
        servers.append(gateway.http.access)
    tries: list[Callable[[], object]] = []
    for access in servers:
        tries += [partial(server_context, access), access.token.read]
    for one in config.connectors.values():
        tries.append(one.access.token.read)
        if one.address.scheme == TLS:
            tries.append(partial(client_context, one.access))
    for attempt in tries:
        try:
            attempt()
        except LocalError as error:
            yield problem(str(error), "put the file there, or correct its path in the configuration")


def _running(subject: Subject) -> Iterator[Finding]:
    if subject.silence:
        yield problem(subject.silence, "run this as the account of the gateway; if it hangs, restart it")
    elif subject.running is None:
        yield note("no gateway runs with it", f"to start it: eventhive gateway --config {subject.path}")
    else:
        version = subject.running.ping.get("version", "")
        if version and version != VERSION:
            what = f"the gateway that runs is of version {version}, and {VERSION} is installed"
            yield warning(what, "restart it: systemctl restart eventhive")
        else:
            yield ok(f"the gateway runs (process {subject.running.pid})")
