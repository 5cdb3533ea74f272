"""The end of the device's hand-shake: the gateway's welcome, or its refusal."""

from .clear import REFUSE_BYTES, REFUSE_KIND
from .envelope import WELCOME, messages
from .errors import PeerError
from .ids import is_stream
from .session import GREETED, RUNNING, is_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import Session


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
