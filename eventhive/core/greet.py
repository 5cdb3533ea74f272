"""The device's hand-shake: its answer to a challenge, and the welcome. Loaded for each connection, forgotten after it.

The first record goes out with the hello, before the gateway has answered, and carries as many waiting events as fit;
but in the first session of a boot, which has no stream yet and so no numbers.
"""

from .clear import (
    CHALLENGE_BYTES,
    CHALLENGE_KIND,
    HELLO_KIND,
    NONCE_BYTES,
    REFUSE_BYTES,
    REFUSE_KIND,
    SEALED,
    STREAM_BYTES,
    UNKEYED,
    VERSION,
)
from .envelope import OPEN, WELCOME, messages
from .errors import PeerError
from .keys import link_mac, session_keys
from .seal import Sealed
from .session import RUNNING, Session, is_count, is_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .ring import Mark, Outbox
    from .session import Direction

# Hello and first record together; the gateway takes no more than 1 KiB from somebody it does not know yet.
FIRST_FLIGHT_BYTES = 768

GREETED = "waiting for the welcome"


def greet(
    challenge: bytes,
    name: str,
    key: "bytes | None",
    keygen: int,
    attempt: int,
    seed: bytes,
    limit: int,
    heartbeat_s: int,
    outbox: "Outbox",
    mark: "Mark",
) -> "tuple[bytes, Session]":
    """(hello, session) of a device that was challenged; `PeerError` says why it cannot answer.

    `name` is the device's id, `key` its key (None: without one), `attempt` a number that no earlier connection of this
    device has used, `seed` fresh random bytes; the rest is as in `Session`. What the session has to send goes out with
    the hello; then give the gateway's answer to `welcome`.
    """
    if len(challenge) != CHALLENGE_BYTES or challenge[0] != CHALLENGE_KIND or challenge[3] > SEALED:
        raise PeerError("the other end is no EventHive gateway: its first message is not a challenge")
    if not challenge[1] <= VERSION <= challenge[2]:
        raise PeerError(
            "the gateway speaks link versions %d to %d, this device %d" % (challenge[1], challenge[2], VERSION)
        )
    if challenge[3] == SEALED and not key:
        raise PeerError("the gateway takes no device without a key; enrol this one and give it its eventhive.json")
    counted = attempt.to_bytes(4, "big")
    mode, nonce = UNKEYED, bytes(NONCE_BYTES)
    if key:
        link = link_mac(key)
        mode, nonce = SEALED, link.digest(b"nonce", seed + counted)[:NONCE_BYTES]
    stream = bytes.fromhex(outbox.stream) if outbox.stream else bytes(STREAM_BYTES)
    hello = bytes((HELLO_KIND, VERSION, mode, keygen)) + limit.to_bytes(2, "big") + stream + counted + nonce
    hello += bytes((len(name),)) + name.encode()
    session = Session(limit, outbox, mark)
    if key:
        up, down = session_keys(link, challenge, hello)
        seal: "Direction" = Sealed(up)
        unseal: "Direction" = Sealed(down)
    else:
        from .unkeyed import Unkeyed

        seal = unseal = Unkeyed()
    session.say(b"[%d,%d]" % (OPEN, heartbeat_s))
    session.begin(GREETED, seal, unseal, int.from_bytes(challenge[4:6], "big"), heartbeat_s)
    session.room = min(session.room, FIRST_FLIGHT_BYTES - len(hello) - seal.overhead)
    return hello, session


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
