"""What a configuration and the environment say of secrets, and the seal that comes of it.

Rules of this file:
1. A secret is in no message and no repr.
2. A secret of the environment stands above one of the configuration, so that a file need not contain any.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .section import Section
from .settings import ConfigError

if TYPE_CHECKING:
    from .seals.base import Seal

VARIABLE = "EVENTHIVE_SECRET"
SECRET_KEYS = ("secret", "seal")
CLASSIC = "classic"
STRICT = "strict"

# Said once for each network that seals without metadata as 0.5.0 does.
NO_METADATA = (
    "with 'secret' and without metadata, replays cannot be recognised for certain, and events can be sent again under "
    "other names: set 'remove_metadata: false', or 'seal: strict' where no member is EventHive 0.5.0"
)

logger = logging.getLogger("eventhive")


@dataclass(frozen=True)
class Secret:
    """The secret of a network, empty where there is none; `seal` is "classic", as 0.5.0 does it, or "strict"."""

    text: str = field(default="", repr=False)
    seal: str = CLASSIC

    def __bool__(self) -> bool:
        return bool(self.text)

    def make(self, network: str, metadata_key: str, adds_metadata: bool) -> "Seal | None":
        """The seal of a network; None where there is no secret.

        Received dicts may carry metadata under `metadata_key`; `adds_metadata` says whether those of this process do.
        """
        if not self.text:
            return None
        if self.seal == STRICT:
            from .seals.strict import StrictSeal, clock_ms

            return StrictSeal(self.text, network, os.urandom, clock_ms)
        from .seals.classic import ClassicSeal

        if not adds_metadata:
            logger.warning("%s: %s", network, NO_METADATA)
        return ClassicSeal(self.text, metadata_key, os.urandom)


def secrets_of_environment(networks: Iterable[str]) -> dict[str, str]:
    """The secrets of the environment ("net1:secret1 net2:secret2") by their networks; raises `ConfigError`."""
    found = {}
    for number, entry in enumerate(os.environ.get(VARIABLE, "").split(), 1):
        network, _, secret = entry.partition(":")
        if not network or not secret or not secret.isprintable():
            raise ConfigError(f"{VARIABLE}: entry {number} is not network:secret, in UTF-8 and without blanks")
        found[network] = secret
    for network in found.keys() - set(networks):
        logger.warning("%s: a secret for '%s', and no connector of this name", VARIABLE, network)
    return found


def secret_of(section: Section, given: str | None) -> Secret:
    """What a connector's section says, where the environment has not `given` a secret; raises `ConfigError`."""
    text = section.secret("secret") if given is None else given
    seal = section.choice("seal", (CLASSIC, STRICT), CLASSIC)
    if "seal" in section and not text:
        raise section.error("seal", f"it needs a secret: set 'secret' beside it, or {VARIABLE}")
    return Secret(text, seal)
