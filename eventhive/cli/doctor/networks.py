"""Whether the servers of the networks can be reached: with the connectors of a gateway, and a deadline."""

import asyncio
import contextlib
from collections.abc import Iterator

from ...config import MEMORY, Connector
from ...core.errors import EventHiveError
from ...membership import Membership
from .finding import Finding, note, ok, problem
from .subject import Subject

# A server on the same network answers in milliseconds. Looking one up takes three seconds, and then it is connected to.
SECONDS = 6.0
# To say goodbye.
CLOSE_SECONDS = 1.0


def check(subject: Subject) -> Iterator[Finding]:
    """Each network: what the gateway that runs says, else whether this process can connect."""
    if not subject.whole.connectors:
        yield ok("there are none")
        return
    asked: list[Connector] = []
    for name, one in subject.whole.connectors.items():
        here = subject.whole.servers.get(name)
        told = subject.running.networks.get(name, {}) if subject.running is not None else {}
        if one.kind == MEMORY or (here is not None and not here.needed):
            yield ok(f"{name}: it is in the gateway's process")
        elif told.get("connected"):
            yield ok(f"{name}: the gateway is connected")
        else:
            asked.append(one)
    for one, why in zip(asked, asyncio.run(_reach(asked, subject.whole.eventhive.interfaces)), strict=True):
        yield _finding(subject, one, why)


def _finding(subject: Subject, one: Connector, why: str) -> Finding:
    if not why:
        return ok(f"{one.network}: its server can be reached")
    if one.network in subject.whole.servers and subject.running is None:
        return note(f"{one.network}: there is no server ({why}): the gateway will make one")
    todo = "start its server, or correct the connector's 'init': until then, events wait"
    return problem(f"{one.network}: {why}", todo)


async def _reach(connectors: list[Connector], interfaces: tuple[str, ...]) -> list[str]:
    return list(await asyncio.gather(*[_try(one, interfaces) for one in connectors]))


async def _try(one: Connector, interfaces: tuple[str, ...]) -> str:
    """Why a network cannot be joined within the time; empty where it can."""
    membership = None
    try:
        membership = Membership(one.network, one, None, interfaces, {}, {})
        connector = membership.connector
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await membership.start()
                if connector is not None:
                    await connector.settled.wait()
        return "" if connector is None or connector.connected else connector.state
    except EventHiveError as error:
        return str(error)
    finally:
        if membership is not None:
            await membership.stay()
            if membership.connector is not None:
                await membership.connector.stop(CLOSE_SECONDS)
            await membership.stop(0)
