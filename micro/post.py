"""Events that may be lost; loaded where a program sends any."""

from eventhive.core.envelope import ONCE, encode


def post(session, name, payload):
    """Send an event now, without a number; False when there is no session, or it is too long for the gateway."""
    message = b"[%d,%s,%s]" % (ONCE, encode(name), payload)
    if not session or session.closed or len(message) > session.room:
        return False
    session.say(message)
    return True
