"""The rest of the device's hand-shake: its first record out, the gateway's welcome, or its refusal, in.

The first record goes out with the hello, before the gateway has answered, and carries as many waiting events as fit;
but in the first session of a boot, which has no stream yet and so no numbers.
"""

from .clear import REFUSE_BYTES, REFUSE_KIND
from .envelope import OPEN, WELCOME, messages
from .errors import PeerError
from .ids import is_stream
from .seal import Sealed
from .session import RUNNING, Session, is_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .mark import Mark
    from .ring import Outbox
    from .session import Direction

# Hello and first record together; the gateway takes no more than 1 KiB from somebody it does not know yet.
FIRST_FLIGHT_BYTES = 768

GREETED = "waiting for the welcome"


def open_session(
    challenge: bytes,
    hello: bytes,
    keys: "tuple[bytes, bytes] | None",
    limit: int,
    heartbeat_s: int,
    outbox: "Outbox",
    mark: "Mark | None",
) -> "Session":
    """The session that a hello begins, with its keys as `greet` gives them; the rest is as in `Session`.

    What it has to send goes out with the hello; then give the gateway's answer to `welcome`.
    """
    session = Session(limit, outbox, mark)
    if keys:
        seal: "Direction" = Sealed(keys[0])
        unseal: "Direction" = Sealed(keys[1])
    else:
        from .unkeyed import Unkeyed

        seal = unseal = Unkeyed()
    session.say(b"[%d,%d]" % (OPEN, heartbeat_s))
    session.begin(GREETED, seal, unseal, int.from_bytes(challenge[4:6], "big"), heartbeat_s)
    session.room = min(session.room, FIRST_FLIGHT_BYTES - len(hello) - seal.overhead)
    return session


def welcome(session: "Session", challenge: bytes, answer: bytes) -> int:
    """Take the gateway's answer to a hello: its time in milliseconds.

    The session runs then, or `PeerError` says why not; `session.refused` is the gateway's reason where it refused.
    """
    if len(answer) == REFUSE_BYTES and answer[0] == REFUSE_KIND:
        from .refusals import refusal_text

        session.refused = answer[1]
        raise PeerError("the gateway refused this device: " + refusal_text(answer[1]))
    found = messages(session.unseal.open(answer)) or [[]]
    message, outbox = found[0], session.outbox
    if len(message) < 4 or message[0] != WELCOME or not is_count(message[1]) or not is_stream(message[2]):
        raise PeerError("%s: got something else" % GREETED)
    if message[2] != (outbox.stream or message[2]) or not is_count(message[3]) or message[3] >= outbox.next:
        raise PeerError("%s: it is for events that this device never sent" % GREETED)
    outbox.stream = message[2]
    outbox.acknowledge(message[3])
    found.reverse()
    session.messages = found[:-1]
    # Only now is the challenge known to be the gateway's.
    session.room = outbox.largest = int.from_bytes(challenge[4:6], "big") - session.seal.overhead
    session.state = RUNNING
    return message[1]
