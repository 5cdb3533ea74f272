"""The keys under `gateway: spool:`: where events are kept on disk, how safely, how many, and what of the rest."""

from dataclasses import dataclass, field
from pathlib import Path

from .section import Section

# Bytes of each network: an event of a board takes some 150 of them, so that this is half a million events, or an outage
# of six days at an event a second; and it fits on any card.
QUOTA = 64 * 1024 * 1024
MIN_QUOTA = 64 * 1024
MAX_QUOTA = 2**40

SYNCHRONOUS = ("full", "normal")
POLICIES = ("refuse", "oldest", "newest")

_SHARE = ("quota", "policy")


@dataclass(frozen=True)
class Share:
    """What one network may take of the spool: `quota` in bytes, and what happens to events beyond it."""

    quota: int = QUOTA
    policy: str = POLICIES[0]


@dataclass(frozen=True)
class SpoolConfig:
    """The spool: its `file`, how it is `synchronous` with the disk, and the shares of networks that have their own."""

    file: Path
    synchronous: str = SYNCHRONOUS[0]
    share: Share = Share()
    shares: dict[str, Share] = field(default_factory=dict)

    def of(self, network: str) -> Share:
        """The share of a network."""
        return self.shares.get(network, self.share)


def spool_of(gateway: Section, default: Path, networks: tuple[str, ...]) -> SpoolConfig | None:
    """The spool of a gateway; None where it is switched off by `spool: false`."""
    if gateway.raw("spool") is False:
        return None
    section = gateway.section("spool", ("file", "synchronous", *_SHARE, "networks"))
    share = _share(section, Share())
    shares = {name: _share(part, share) for name, part in section.section("networks", networks).sections(_SHARE)}
    file = section.path("file") or default
    return SpoolConfig(file, section.choice("synchronous", SYNCHRONOUS, SYNCHRONOUS[0]), share, shares)


def _share(section: Section, default: Share) -> Share:
    return Share(
        section.integer("quota", default.quota, MIN_QUOTA, MAX_QUOTA),
        section.choice("policy", POLICIES, default.policy),
    )
