"""Whether servers can be announced and found by multicast DNS on this machine, where the configuration wants that."""

import asyncio
import secrets
from collections.abc import Iterator

from ...core.errors import LocalError
from ...discovery import Announcement, Announcer, search
from ...reach import FAR_AWAY, reach
from .finding import Finding, ok, problem, warning
from .subject import Subject

# An own announcement is heard within a tenth of a second; a look-up of a hive takes as long (see `config`).
SECONDS = 3.0

TODO = "let UDP port 5353 and the group 224.0.0.251 through the firewall of this machine, or write addresses instead"


def check(subject: Subject) -> Iterator[Finding]:
    """Announce something, and look it up."""
    config = subject.whole
    using = [name for name, one in config.servers.items() if one.broadcast]
    using += [name for name, one in config.connectors.items() if one.from_broadcast and name not in using]
    if not using:
        yield ok("no network is announced or looked up: nothing depends on it")
        return
    try:
        found = asyncio.run(_see_itself(config.eventhive.interfaces))
    except LocalError as error:
        yield problem(str(error), f"{TODO}; 'eventhive: interfaces:' says which addresses are used")
        return
    names = ", ".join(using)
    if found:
        yield ok(f"multicast DNS works on this machine (used by {names})")
    else:
        yield warning(f"what this machine announces, it does not hear itself (used by {names})", TODO)


async def _see_itself(interfaces: tuple[str, ...]) -> bool:
    # A name that nobody looks up, and an address of documentation: whoever hears it connects nowhere.
    own = Announcement(f"doctor-{secrets.token_hex(4)}", FAR_AWAY[0], FAR_AWAY[1], id=secrets.token_hex(8))
    announcer = Announcer(own, reach("0.0.0.0", interfaces), lambda other: None)  # noqa: S104
    await announcer.start()
    try:
        return bool(await search(own.network, SECONDS, interfaces))
    finally:
        await announcer.stop()
