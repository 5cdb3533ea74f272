"""What is different between two configurations, by network: no I/O.

Rules of this file: what a process that runs can do is `added`, `removed` or `moved`, as a whole for each network; any
other difference is `late`.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from .networks import MEMORY

# Of a connector, what only says where its carrier leads. All else is known to who uses the network.
_CARRIER = ("kind", "address", "access", "redis", "classic_only")


@dataclass
class Changes:
    """Names of networks: to be joined, to be left, to be carried elsewhere, and to stay as they are until a restart.

    `named` are the keys of the last, for a person.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def merged(self, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        """Connectors, or servers, as they are when all but the late changes have been made."""
        kept = {name: old[name] for name in self.late if name in old}
        return {**{name: one for name, one in new.items() if name not in self.late}, **kept}


def changes(old: Any, new: Any) -> Changes:
    """What has to be done to networks, where a gateway with one configuration is to have another."""
    found = Changes()
    for name in {**old.connectors, **old.servers, **new.connectors, **new.servers}:
        before = (old.connectors.get(name), old.servers.get(name))
        after = (new.connectors.get(name), new.servers.get(name))
        if before == after:
            continue
        if before == (None, None):
            found.added.append(name)
        elif after == (None, None):
            found.removed.append(name)
        elif before[1] is None and after[1] is None and _is_moved(before[0], after[0]):
            found.moved.append(name)
        else:
            found.late.append(name)
            parts = zip(("connectors", "servers"), before, after, strict=True)
            found.named += [f"{part}.{name}" for part, one, other in parts if one != other]
    return found


def _is_moved(one: Any, other: Any) -> bool:
    """True where only the carrier is another one, and neither is looked for, nor in this process."""
    if MEMORY in (one.kind, other.kind) or one.from_broadcast or other.from_broadcast:
        return False
    names = [part.name for part in fields(one) if part.name not in _CARRIER]
    return all(getattr(one, name) == getattr(other, name) for name in names)
