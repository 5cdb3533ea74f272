"""Events that may be lost; loaded where a program sends any."""

from eventhive.core.envelope import ONCE, encode


def post(session, name, payload):
    """Send an event now, without a number; False when there is no session, or it is too long for the gateway."""
    # Two bytes of digits, commas and brackets each, beside the name in full.
    if not session or session.closed or len(encode(name)) + len(payload) + 8 > session.room:
        return False
    session.say(b"[%d,%s,%s]" % (ONCE, session.named(name), payload))
    return True
