"""A running session without keys, and what is asked of it; the same file on both interpreters."""

from ends import drained
from oracle import bounded, require

from eventhive.core.envelope import ACK, ASK, EVENT, messages
from eventhive.core.errors import PeerError
from eventhive.core.outcomes import VALUE
from eventhive.core.requests import reply
from eventhive.core.ring import Outbox
from eventhive.core.session import REJECTED, RUNNING, Session
from eventhive.core.unkeyed import Unkeyed

LIMIT = 1024
STREAM = "b1b2b3b400000001"
EVENTS = 3

# What a session may hold beside one message that is being taken: its names, its outbox, what it has to say.
HELD = 16 * LIMIT


def session(marks):
    """A session in the state that follows the hand-shake, with its events sent and none acknowledged."""
    outbox = Outbox(4096, LIMIT, STREAM)
    for number in range(EVENTS):
        outbox.put("my-hive/sensor-1/led", b'{"on":%d}' % number)
    one = Session(LIMIT, outbox, marks)
    direction = Unkeyed()
    one.begin(RUNNING, direction, direction, LIMIT, 20)
    drained(one)
    return one


def converse(one, data, seen):
    """Give a session the lines of an input as messages, and do with its events what its owner does."""
    try:
        for text in data.split(b"\n"):
            one.receive_data(text)
            event = one.next_event()
            while event:
                seen.append(event)
                _take(one, event)
                event = one.next_event()
            for message in drained(one):
                require(len(message) <= LIMIT, "a message of %d bytes" % len(message))
                require(messages(message), "it sends what is no message: %r" % message)
        bounded(one, HELD)
    except PeerError as error:
        require(one.closed == str(error), "closed is %r, the error %r" % (one.closed, error))
        require(drained(one) == [], "it goes on sending after a fault of the peer")
        raise


def _take(one, event):
    if event[0] == ACK:
        require(event[1] <= EVENTS, "event %d is acknowledged, which was never sent" % event[1])
    elif event[0] in (EVENT, REJECTED):
        one.incoming().confirm()
    elif event[0] == ASK:
        reply(one, event[3], VALUE, event[2])
