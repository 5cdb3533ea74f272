"""How soon the processes of the checker notice a dead connection between them."""

from ...connectors import base
from ...servers import peer

# A tenth of what it is otherwise: so an end that hears nothing gives up after 4 s, and not after most of a run. It must
# be less than the time after which a name counts as hooked by nobody, and more than what a stopped process is silent.
KEEPALIVE_S = 2.0


def quicken() -> None:
    """Have connections of this process, which are still to come, watched more closely."""
    base.KEEPALIVE_SECONDS = peer.KEEPALIVE_SECONDS = KEEPALIVE_S
