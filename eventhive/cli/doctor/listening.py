"""The addresses that a gateway listens on: of this machine, allowed, and free."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import NamedTuple

from ... import holders
from ...websocket.listener import bound
from .finding import Finding, note, ok, problem, warning
from .subject import Subject


class Place(NamedTuple):
    """Where something is served; `else_where`: another process may have the place instead."""

    what: str
    host: str
    port: int
    else_where: bool = False


def check(subject: Subject) -> Iterator[Finding]:
    """Devices, page, and servers of networks."""
    found = list(places(subject))
    for place in found:
        yield from _running(subject.running.pid, place) if subject.running is not None else _stopped(place)
    if not found:
        yield ok("nothing is listened on")


def places(subject: Subject) -> Iterator[Place]:
    """All of the configuration."""
    gateway = subject.gateway
    if gateway.websocket is not None:
        yield Place("devices", gateway.websocket.host, gateway.websocket.port)
    if gateway.http is not None:
        yield Place("page", gateway.http.host, gateway.http.port)
    for name, server in subject.whole.servers.items():
        yield Place(f"network {name}", server.address.host, server.address.port, server.needed)


def _running(pid: int, place: Place) -> Iterator[Finding]:
    shown = f"{place.what}: {place.host}:{place.port}"
    if not place.port:
        yield note(f"{place.what}: a free port of {place.host} is taken at each start")
        return
    pids = holders.of_port(place.port)
    if pid in pids or (not pids and holders.is_listening(place.port)):
        yield ok(f"{shown}: the gateway listens")
    elif pids and not place.else_where:
        yield problem(f"{shown}: {holders.who(pids)} listens there, not the gateway", "restart the gateway, or that")
    elif not place.else_where:
        yield warning(f"{shown}: the gateway that runs does not listen there", "restart it: it has an older file")
    else:
        yield ok(f"{shown}: another process serves it")


def _stopped(place: Place) -> Iterator[Finding]:
    shown = f"{place.what}: {place.host}:{place.port}"
    try:
        asyncio.run(_bind(place))
    except socket.gaierror:
        yield problem(f"{shown}: {place.host} is no known name", "write an address of this machine, or 0.0.0.0")
    except OSError as error:
        yield from _taken(place, shown, error)
    else:
        yield ok(f"{shown}: free")


async def _bind(place: Place) -> None:
    for one in await bound(place.host, place.port):
        one.close()


def _taken(place: Place, shown: str, error: OSError) -> Iterator[Finding]:
    if error.errno == errno.EADDRINUSE:
        who = holders.who(holders.of_port(place.port))
        if place.else_where:
            yield note(f"{shown}: {who} listens there: with 'create: needed', that one is used")
        else:
            yield problem(f"{shown}: {who} listens there", "stop that one, or choose another 'port'")
    elif error.errno == errno.EADDRNOTAVAIL:
        yield problem(f"{shown}: this machine has no such address", "write one that 'ip address' shows, or 0.0.0.0")
    elif error.errno == errno.EACCES:
        yield problem(f"{shown}: ports below 1024 are root's", "choose a 'port' of 1024 or more")
    else:
        yield problem(f"{shown}: {error.strerror or error}", "correct 'host' and 'port'")
