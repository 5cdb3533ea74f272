"""The device's first record, which goes out with its hello, before the gateway has answered.

It carries as many waiting events as fit, but in the first session of a boot, which has no stream yet and so no numbers.
A board forgets this module before it reads the answer, which is `welcome.py`'s.
"""

from .envelope import OPEN
from .seal import Sealed
from .session import GREETED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import Direction, Session

# Hello and first record together; the gateway takes no more than 1 KiB from somebody it does not know yet.
FIRST_FLIGHT_BYTES = 768


def open_session(
    session: "Session", challenge: bytes, hello: bytes, keys: "tuple[bytes, bytes] | None", heartbeat_s: int
) -> None:
    """Begin a new session with a hello, and its keys as `greet` gives them.

    What it has to send goes out with the hello; then give the gateway's answer to `welcome`.
    """
    if keys:
        seal: "Direction" = Sealed(keys[0])
        unseal: "Direction" = Sealed(keys[1])
    else:
        from .unkeyed import Unkeyed

        seal = unseal = Unkeyed()
    session.say(b"[%d,%d]" % (OPEN, heartbeat_s))
    session.begin(GREETED, seal, unseal, int.from_bytes(challenge[4:6], "big"), heartbeat_s)
    session.room = min(session.room, FIRST_FLIGHT_BYTES - len(hello) - seal.overhead)
