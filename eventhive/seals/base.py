"""The contract of a seal, and how a sealed event is told from one that is not.

Rules of this folder:
1. A connector carries what `seal` returned, and what it received goes through `open`: carriers see opaque text only.
2. Nothing of a received text is used before its signature is checked, and everything that does not pass is a
   `PeerError` whose text is one of the constants here: it says what to do, and repeats nothing of a peer.
3. Memory is bounded whoever sends; clock and randomness are passed in. docs/secret.md says what is promised.
"""

from typing import Any, Protocol

from ..classic import MAX_DATA_BYTES
from ..core.errors import LimitError

UNEXPECTED = (
    "it is sealed, and this process has no secret for the network: "
    "set 'secret', or EVENTHIVE_SECRET, to that of its sender"
)
NOT_SEALED = "it is not sealed: give its sender the secret of this network"
NOT_SIGNED = "it is encrypted, but not signed: its sender must be EventHive with the secret of this network"
UNREADABLE = "it cannot be decrypted: give its sender the secret of this network"
NOT_AUTHENTIC = "its signature is wrong: its sender has another secret, or it was changed on its way"
OTHER_SEAL = "it is sealed in another way: set the same 'seal' (classic or strict) in all members of the network"
OTHER_NAME = "it was signed for another event: somebody sends what was captured, under a new name"
REPLAYED = "it was received before: its carrier repeated it after an outage, or somebody replays it"
STALE = "it was sealed too long ago, or in the future: set the clocks of both machines, unless somebody replays it"
TOO_MANY = "it is from one member more than can be kept apart: too many were started within five minutes"
OTHER_VERSION = "it is sealed by a newer version: update this process"
NOT_JSON = "it is not JSON: mend the program that sent it"

STRICT_MEMBER = "eventhive-sealed"

# Text that no seal makes too long, so that its length need not be computed.
SURELY_SHORT = MAX_DATA_BYTES // 16


class Seal(Protocol):
    """What makes opaque text of the JSON text of an event, and the reverse.

    `ages`: what is sealed must arrive soon, so that it had better be sealed when there is a connection.
    """

    ages: bool

    def check(self, text: str) -> None:
        """Raise `LocalError` when this data cannot be sealed, `LimitError` when it would be too long then."""

    def seal(self, topic: str, text: str) -> str:
        """The text that travels, which is JSON too; `LocalError` as `check`."""

    def open(self, topic: str, text: str) -> Any:
        """The data of a received text; `PeerError` says why it must be dropped."""


def is_strict(data: Any) -> bool:
    """True for a JSON value that `seal: strict` made."""
    return type(data) is dict and len(data) == 1 and isinstance(data.get(STRICT_MEMBER), str)


def is_classic(data: Any) -> bool:
    """True for a JSON value that 0.5.0 made with a secret."""
    return (
        type(data) is dict
        and len(data) == 2
        and isinstance(data.get("iv"), str)
        and isinstance(data.get("ciphertext"), str)
    )


def check_length(sealed: int) -> None:
    """Raise `LimitError` when so many bytes of sealed text are more than a hive carries."""
    if sealed > MAX_DATA_BYTES:
        raise LimitError(f"{sealed} bytes of data, once sealed: a hive carries {MAX_DATA_BYTES} in one event")
